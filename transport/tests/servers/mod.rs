//! Starts private servers for tests: each in a folder of its own, on ports that are free, and gone when it is dropped or the
//! test's process ends, however that ends. `rabbitmq.rs` and `redis.rs` beside this say which there are.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(90);

/// A server that runs, or can be started again on the same data.
pub(crate) struct Server {
    /// Where its data, and what it says, are.
    pub(crate) folder: PathBuf,
    command: Box<dyn Fn() -> Command + Send + Sync>,
    answers: Box<dyn Fn() -> bool + Send + Sync>,
    child: Option<Child>,
    /// Reads the groups of processes that have been started, and when there is no more to read, ends them.
    guard: Child,
    groups: Option<ChildStdin>,
}

/// What the guard does: `$1` is the folder.
const GUARD: &str = r#"
while read -r group; do groups="$groups -$group"; done
[ -z "$groups" ] || kill -s KILL -- $groups 2>/dev/null
for try in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && break; sleep 0.2; done
"#;

impl Server {
    /// Starts what `command` says, once now and again whenever asked, and waits until `answers` says yes.
    pub(crate) fn start(
        name: &str,
        command: impl Fn(&Path) -> Command + Send + Sync + 'static,
        answers: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Server {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("smpp-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for temporary files");
        // In a group of its own, so that what ends the test does not end it before it has done its work.
        let mut guard = Command::new("sh");
        guard.arg("-c").arg(GUARD).arg("guard").arg(&folder).stdin(Stdio::piped()).process_group(0);
        let mut guard = guard.spawn().expect("a shell");
        let groups = guard.stdin.take();
        let in_folder = folder.clone();
        let command = Box::new(move || command(&in_folder));
        let mut server = Server { folder, command, answers: Box::new(answers), child: None, guard, groups };
        server.start_again();
        server
    }

    /// What starts it, with its environment.
    pub(crate) fn command(&self) -> Command {
        (self.command)()
    }

    /// Starts it on the data that it had.
    #[expect(clippy::disallowed_methods, reason = "a server takes the time of the machine")]
    pub(crate) fn start_again(&mut self) {
        let said = std::fs::File::options().create(true).append(true).open(self.folder.join("said"));
        let said = said.expect("a file in the folder");
        let mut command = self.command();
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("a handle"))
            .stderr(said)
            .process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let groups = self.groups.as_mut().expect("until it is dropped");
        writeln!(groups, "{}", child.id()).expect("the guard reads");
        let child = self.child.insert(child);
        let begun = Instant::now();
        while !(self.answers)() {
            let ended = child.try_wait().expect("it is our child");
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{ended:?}: see {}", self.folder.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill9(&mut self) {
        self.end("-9");
    }

    /// Ends it in good order.
    pub(crate) fn stop(&mut self) {
        self.end("-15");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut child) = self.child.take() else { return };
        let group = format!("-{}", child.id());
        let killed = Command::new("kill").args([signal, "--", &group]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill {signal} {group}");
        child.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
        drop(self.groups.take());
        let _ = self.guard.wait();
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Says that a program is missing, past the harness; fails instead if all are needed.
pub(crate) fn left_out(program: &str) {
    let needed = std::env::var_os("TESTS_NEED_ALL").is_some_and(|value| value == "1");
    assert!(!needed, "{program} is missing, and TESTS_NEED_ALL=1: install it, e.g. apt-get install {program}");
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "left out: {program} is not installed (apt-get install {program})");
}

/// The first of these that is there: paths, or names to be found on the `PATH`.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let found = |name: &&str| {
        let joined = folders.iter().map(|folder| folder.join(name));
        std::iter::once(PathBuf::from(name)).filter(|path| path.is_absolute()).chain(joined).find(|path| path.is_file())
    };
    names.iter().find_map(found)
}
