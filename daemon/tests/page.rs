//! The built-in page keeps its promises: one file, nothing from elsewhere, and no name that becomes markup.

const PAGE: &str = include_str!("../src/http/page.html");

#[test]
fn page_loads_nothing_from_elsewhere() {
    let without_namespace = PAGE.replace("xmlns='http://www.w3.org/2000/svg'", "");
    for text in ["http://", "https://", "//cdn", "@import", "url(", "src="] {
        assert!(!without_namespace.contains(text), "{text}");
    }
}

#[test]
fn what_users_named_is_never_read_as_markup() {
    for text in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
        assert!(!PAGE.contains(text), "{text}");
    }
}
