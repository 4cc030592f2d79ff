//! A process that ends with the tests.

use std::{
    io::Write as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Starts the program and obeys its standard input: the name of a signal a line. `KILL` and `TERM`
/// end it with the program; when the input ends, which it does too when the process of the tests
/// dies, the program is killed and its folder removed.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
folder=$1; shift
"$@" </dev/null >>"$folder/output.log" 2>&1 &
program=$!
while read -r signal; do
    kill -s "$signal" "$program"
    case $signal in KILL|TERM) wait "$program"; exit 0;; esac
done
kill -s KILL "$program"
wait "$program"
rm -rf "$folder"
"#;

/// A program that ends at the latest with the process that started it.
#[derive(Debug)]
pub(super) struct Guarded {
    shell: Child,
    orders: Option<ChildStdin>,
}

impl Guarded {
    /// Starts it. Its folder takes what it prints, and is removed with it.
    pub(super) fn start(folder: &Path, program: &[&str]) -> Self {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(folder)
            .args(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let orders = shell.stdin.take();
        Self { shell, orders }
    }

    /// Sends a signal that does not end the program.
    pub(super) fn signal(&mut self, name: &str) {
        let orders = self.orders.as_mut().expect("there until the drop");
        writeln!(orders, "{name}").expect("the shell lives as long as its input");
    }

    /// Ends the program by `KILL` or `TERM`, and keeps its folder.
    pub(super) fn end(mut self, name: &str) {
        self.signal(name);
        self.shell.wait().expect("the shell ends with its program");
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It ends by itself; waiting leaves nothing behind it.
        drop(self.shell.wait());
    }
}
