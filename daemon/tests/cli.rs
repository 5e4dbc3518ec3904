//! The binary as users run it: what it prints, where, and how it exits.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread::{JoinHandle, spawn};

fn nightcap(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightcap"));
    command.args(args).env_clear().env("TZ", "Europe/Berlin");
    command
}

/// Exit status, stdout and stderr.
fn outcome(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    outcome(&nightcap(args).output().unwrap())
}

const AT: &str = "2026-03-02T12:00:00+01:00"; // a Monday

#[test]
fn schedule_check_answers_in_json() {
    for (spec, more, expected) in [
        (
            "Mon-Fri 08:00-20:00 Europe/Berlin",
            vec![],
            "{\"holds\":true,\"next_change\":\"2026-03-02T19:00:00Z\"}\n",
        ),
        ("never", vec![], "{\"holds\":false,\"next_change\":null}\n"),
        (
            "20:00-22:00",
            vec!["--default-timezone", "Asia/Kolkata"],
            "{\"holds\":false,\"next_change\":\"2026-03-02T14:30:00Z\"}\n",
        ),
        (
            "Mon-Fri 08:00-20:00 Europe/Berlin",
            vec!["--dialect", "gokubedownscaler"],
            "{\"holds\":true,\"next_change\":\"2026-03-02T19:00:00Z\"}\n",
        ),
        (
            "08:00-20:00 Europe/Berlin",
            vec!["--dialect", "gokubedownscaler", "--default-weekframe", "Mon-Fri"],
            "{\"holds\":true,\"next_change\":\"2026-03-02T19:00:00Z\"}\n",
        ),
    ] {
        let args = [vec!["schedule", "check", "--at", AT, "-o", "json"], more, vec![spec]].concat();
        assert_eq!(run(&args), (Some(0), expected.to_owned(), String::new()), "{args:?}");
    }
}

#[test]
fn schedule_check_answers_in_a_sentence() {
    let (code, out, _) = run(&["schedule", "check", "--at", AT, "Mon-Fri 08:00-20:00 Europe/Berlin"]);
    assert_eq!(
        (code, out.as_str()),
        (
            Some(0),
            "Holds at 2026-03-02T11:00:00Z. Ends at 2026-03-02T19:00:00Z (20:00 Europe/Berlin), in 8 h.\n"
        )
    );
}

#[test]
fn a_bad_spec_exits_2_with_the_reason_on_stderr() {
    let (code, out, err) = run(&["schedule", "check", "--at", AT, "-o", "json", "Mon-Fry 08:00-20:00"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(
        err,
        "nightcap: in \"Mon-Fry 08:00-20:00\": \"Fry\" is no day of the week: use Mon, Tue, Wed, Thu, Fri, Sat or Sun, \
         or a range such as Mon-Fri\n"
    );
}

#[test]
fn wrong_use_exits_2_and_help_exits_0() {
    for args in [
        vec!["schedule", "check", "always"],
        vec!["schedule", "check", "--at", "noon", "always"],
        vec!["fly"],
        vec![],
    ] {
        let (code, out, err) = run(&args);
        assert_eq!((code, out.as_str(), err.is_empty()), (Some(2), "", false), "{args:?}");
    }
    for args in [vec!["--help"], vec!["help", "schedule"], vec!["--version"]] {
        let (code, out, err) = run(&args);
        assert_eq!((code, out.is_empty(), err.as_str()), (Some(0), false, ""), "{args:?}");
    }
}

#[test]
fn without_a_daemon_it_says_what_to_do() {
    // A port that was free a moment ago, and is not listened on.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = format!("127.0.0.1:{port}");
    let (code, out, err) = run(&["status", "--server", &server]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with(&format!("nightcap: no daemon answers at http://{server} (")), "{err}");
    assert!(err.contains("nightcap demo") && err.contains("NIGHTCAP_SERVER"), "{err}");
}

#[test]
fn without_any_way_to_a_daemon_it_says_what_failed_in_each() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for command in ["status", "cost", "savings", "prices", "explain shop-dev", "wake shop-dev"] {
        let args: Vec<&str> = command.split(' ').collect();
        let output = nightcap(&args)
            .args(["--kubeconfig", "/no/such/kubeconfig", "--server", ""])
            .env("NIGHTCAP_LISTEN", format!("0.0.0.0:{port}"))
            .output()
            .unwrap();
        let expected = format!(
            "nightcap: no daemon was reached
  by --server or NIGHTCAP_SERVER: neither is given
  on this machine: nothing answers at http://127.0.0.1:{port} (Connection refused (os error 111))
  in the cluster of the kubeconfig: no cluster: failed to read kubeconfig from '\"/no/such/kubeconfig\"': \
No such file or directory (os error 2); name a kubeconfig with --kubeconfig or KUBECONFIG, or run inside a cluster \
with a service account
start one with `nightcap run` or `nightcap demo`, or say where it is with --server URL or NIGHTCAP_SERVER, or with \
--namespace NAME or NIGHTCAP_NAMESPACE for one in a cluster
"
        );
        assert_eq!(outcome(&output), (Some(1), String::new(), expected), "{command}");
    }
}

#[test]
fn a_wrong_configuration_is_told_whole() {
    let output = nightcap(&["run", "--mode", "sleep", "--listen", "here"])
        .env("NIGHTCAP_LOG_LEVEL", "loud")
        .output()
        .unwrap();
    assert_eq!(
        outcome(&output),
        (
            Some(2),
            String::new(),
            "nightcap: 3 errors in the configuration:
  --listen: \"here\" is no address: write IP:PORT such as 127.0.0.1:9095, or 0.0.0.0:9095 for everybody
  --mode: \"sleep\" is no mode: use observe, ask or act
  NIGHTCAP_LOG_LEVEL: \"loud\" is no log level: use error, warn, info, debug or trace
"
            .to_owned()
        )
    );
}

/// Answers one request with `body`; the thread gives back what was asked.
fn daemon(status: &'static str, body: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let asked = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "cut short: {request}");
            request.push_str(&String::from_utf8_lossy(&buffer[..read]));
            let Some((head, sent)) = request.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if sent.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                break;
            }
        }
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .unwrap();
        request
    });
    (server, asked)
}

#[test]
fn json_is_the_daemons_answer_as_it_is() {
    let (server, asked) = daemon("200 OK", r#"{"total":0.123456789012}"#);
    let output =
        nightcap(&["cost", "--by", "team,space", "--window", "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z"])
            .args(["--step", "1h", "-o", "json"])
            .env("NIGHTCAP_SERVER", server)
            .output()
            .unwrap();
    assert_eq!(outcome(&output), (Some(0), "{\"total\":0.123456789012}\n".to_owned(), String::new()));
    let request = asked.join().unwrap();
    assert_eq!(
        request.lines().next(),
        Some(
            "GET /api/v1/cost?by=team%2Cspace&window=2026-03-01T00%3A00%3A00Z%2C2026-03-02T00%3A00%3A00Z&idle=true&step=1h HTTP/1.1"
        )
    );
    assert!(!request.to_lowercase().contains("authorization"), "{request}");
}

#[test]
fn an_act_carries_the_token_and_shows_the_outcome() {
    let (server, asked) = daemon(
        "200 OK",
        r#"{"at":"2026-03-02T11:00:00Z","space":"shop-dev","act":"keep-awake","by":"ada","annotations":{},"message":"shop-dev stays awake until 14:00."}"#,
    );
    let output = nightcap(&["keep-awake", "shop-dev", "--for", "3h", "--server", &server])
        .env("NIGHTCAP_TOKEN", "secret")
        .output()
        .unwrap();
    assert_eq!(outcome(&output), (Some(0), "shop-dev stays awake until 14:00.\n".to_owned(), String::new()));
    let request = asked.join().unwrap();
    assert!(request.starts_with("POST /api/v1/spaces/shop-dev/keep-awake HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer secret\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"for\":\"3h\"}"), "{request}");
}

#[test]
fn a_window_the_daemon_refuses_exits_2_with_its_words() {
    let (server, _asked) = daemon(
        "400 Bad Request",
        r#"{"error":{"code":"bad-window","message":"\"7x\" is no window","hint":"use e.g. 7d"}}"#,
    );
    let refused = run(&["cost", "--window", "7x", "--server", &server]);
    assert_eq!(refused, (Some(2), String::new(), "nightcap: \"7x\" is no window\nuse e.g. 7d\n".to_owned()));
}
