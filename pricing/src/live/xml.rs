//! The flat XML of AWS's query interfaces: a list of items, and fields beside it.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

/// Fields of items, and fields outside of any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Items {
    pub(crate) items: Vec<BTreeMap<String, String>>,
    pub(crate) outside: BTreeMap<String, String>,
}

impl Items {
    /// Reads a document whose outermost element is `root`.
    pub(crate) fn read(xml: &str, root: &str, item: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        let mut path: Vec<String> = Vec::new();
        let mut found = Self::default();
        let mut text = String::new();
        let mut in_item = false;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    if path.is_empty() && name != root {
                        return Err(format!("it is <{name}>, not <{root}>"));
                    }
                    if name == item {
                        in_item = true;
                        found.items.push(BTreeMap::new());
                    }
                    path.push(name);
                    text.clear();
                }
                Event::Text(part) => {
                    text.push_str(&part);
                }
                Event::CData(part) => {
                    text.push_str(&part);
                }
                Event::GeneralRef(name) => {
                    let part = match &*name {
                        "amp" => "&",
                        "lt" => "<",
                        "gt" => ">",
                        "quot" => "\"",
                        "apos" => "'",
                        other => return Err(format!("the entity &{other}; is not known")),
                    };
                    text.push_str(part);
                }
                Event::End(_) => {
                    let name = path.pop().unwrap_or_default();
                    if name == item {
                        in_item = false;
                    } else if let Some(fields) = found.items.last_mut().filter(|_| in_item) {
                        fields.insert(name, text.trim().to_owned());
                    } else {
                        found.outside.insert(name, text.trim().to_owned());
                    }
                    text.clear();
                    if path.is_empty() {
                        return Ok(found);
                    }
                }
                Event::Eof => return Err(format!("it ends before </{root}>")),
                _ => {}
            }
        }
    }
}
