//! `demo` and `serve` as an officer and an operator live with them: addresses, edited flows, the end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `langnghe`, which ends with the test.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_langnghe"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = sync_channel(10_000);
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("piped")),
            Box::new(child.stderr.take().expect("piped")),
        ];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    drop(sender.send(line));
                }
            });
        }
        Self { child, lines }
    }

    /// Reads what it says until a line holds `piece`; gives that line.
    #[track_caller]
    fn until(&self, piece: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("never said {piece:?}, but:\n{}", said.join("\n"));
            };
            if line.contains(piece) {
                return line;
            }
            said.push(line);
        }
    }

    fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.is_ok_and(|status| status.success()));
    }

    /// SIGTERM, and the exit code.
    fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("ours") {
                return status.code();
            }
            drop(self.lines.recv_timeout(Duration::from_millis(50)));
        }
        panic!("it does not stop");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The status and the whole answer to `GET path`.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), answer)
}

/// `127.0.0.1:PORT` in a line.
fn address(line: &str) -> String {
    let start = line.find("127.0.0.1:").expect("an address");
    let rest = &line[start..];
    let end = rest.find(|character: char| !character.is_ascii_digit() && !".:".contains(character));
    rest[..end.unwrap_or(rest.len())].to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_demo_tells_its_addresses_and_they_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Running::start(folder.path(), &["demo", "--port", "0"]);
    let address = address(&demo.until("/chat"));
    demo.until("Ctrl+C");
    let (status, page) = get(&address, "/");
    assert_eq!(status, 200);
    assert!(page.contains("href=\"/chat\"") && page.contains("href=\"/demo/agency\""));
    assert!(page.contains("langnghe-demo/flows"));
    for path in ["/chat", "/demo/agency", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(&address, path).0, 200, "{path}");
    }
    // A second one in the same folder would serve the same database.
    let second = Command::new(env!("CARGO_BIN_EXE_langnghe"))
        .args(["demo", "--port", "0"])
        .current_dir(folder.path())
        .output()
        .expect("it starts");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"));
    assert_eq!(demo.stop(), Some(0));
}

#[test]
fn the_demo_takes_an_edited_flow_over_and_refuses_a_broken_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Running::start(folder.path(), &["demo", "--port", "0"]);
    demo.until("Ctrl+C");
    let path = folder.path().join("langnghe-demo/flows/hien-truong.toml");
    let good = fs::read_to_string(&path).expect("written by the demo");
    fs::write(&path, good.replace("kind = \"phone\"", "kind = \"phoen\"")).expect("written");
    demo.until("kind = \"phoen\"");
    demo.until("the earlier ones go on");
    fs::write(&path, good).expect("written");
    demo.until("loaded anew");
    assert_eq!(demo.stop(), Some(0));
}

fn served(flows: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[flows]\npath = \"{}\"\n[locales]\npath = \"{}\"\n[log]\nformat = \"json\"\n[[channel]]\nid = \"web\"\nkind = \"webchat\"\n[[backend]]\nid = \"ioc\"\nkind = \"webhook\"\nurl = \"https://ioc.example.vn/\"\nsecret = \"env:SECRET\"\n",
        flows.display(),
        root().join("locales").display(),
    );
    fs::write(folder.path().join("langnghe.toml"), config).expect("written");
    folder
}

#[test]
fn sighup_reads_flows_anew_all_or_nothing() {
    let flows = tempfile::tempdir().expect("a folder");
    for name in ["menu.toml", "hien-truong.toml"] {
        fs::copy(root().join("flows").join(name), flows.path().join(name)).expect("copied");
    }
    let folder = served(flows.path());
    let replica = Running::start(folder.path(), &["serve", "--config", "langnghe.toml"]);
    let address = address(&replica.until("listening"));
    let broken = flows.path().join("broken.toml");
    fs::write(&broken, "id = \"broken\"\nversoin = 1\n").expect("written");
    replica.signal("HUP");
    let line = replica.until("versoin");
    assert!(line.contains("broken.toml:2:1"), "{line}");
    replica.until("the earlier ones go on");
    assert_eq!(get(&address, "/readyz").0, 200);
    fs::remove_file(&broken).expect("removed");
    replica.signal("HUP");
    replica.until("loaded anew");
    assert_eq!(replica.stop(), Some(0));
}

#[test]
fn the_command_line_looks_in_beside_a_running_server() {
    let folder = served(&root().join("flows"));
    let replica = Running::start(folder.path(), &["serve", "--config", "langnghe.toml"]);
    replica.until("listening");
    for (arguments, said) in [
        (&["tickets", "list"][..], "no tickets"),
        (&["dead", "list"], "no dead letters"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_langnghe"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("it starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(String::from_utf8_lossy(&output.stdout).contains(said));
    }
    assert_eq!(replica.stop(), Some(0));
}
