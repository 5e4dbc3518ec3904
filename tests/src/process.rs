//! Child processes that never outlive their parent.
//!
//! Every child is started through `setpriv --pdeathsig KILL`, so the kernel kills it when its parent dies, even by SIGKILL.
//! "Parent" means the *thread* that started it, and a test's thread ends with the test; so one thread that lives as long as
//! the process starts all children, and a cluster can be shared between tests.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// What to run; kept, so that it can be run again.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(String, OsString)>,
    /// Standard output and error are appended to it.
    pub(crate) log: PathBuf,
}

impl Program {
    /// Starts it.
    pub(crate) fn start(&self) -> anyhow::Result<Process> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.path).args(&self.args);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = spawn_from_lasting_thread(command).with_context(|| {
            format!("cannot start {} through setpriv (it belongs to the package util-linux)", self.name)
        })?;
        Ok(Process { name: self.name.clone(), log: self.log.clone(), child })
    }
}

struct Order {
    command: Command,
    reply: SyncSender<std::io::Result<Child>>,
}

fn spawn_from_lasting_thread(command: Command) -> anyhow::Result<Child> {
    static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for mut order in inbox {
                // The one who asked may be gone; then the child is dropped, and dies with this process.
                let _ = order.reply.send(order.command.spawn());
            }
        });
        orders
    });
    let (reply, answer) = mpsc::sync_channel(1);
    orders.send(Order { command, reply })?;
    Ok(answer.recv()??)
}

/// A running child. Killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The status it ended with, none while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// An error that shows the end of the log, once the process has ended by itself.
    pub(crate) fn check_running(&mut self) -> anyhow::Result<()> {
        match self.ended() {
            None => Ok(()),
            Some(status) => {
                Err(wait::GiveUp(format!("{} ended ({status}){}", self.name, self.log_tail())).into())
            }
        }
    }

    /// The last lines of the log, ready to be put behind a message.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log, 25)
    }

    /// SIGKILL, then waits until it is gone.
    pub(crate) fn kill9(&mut self) {
        // Both fail only for a process that has been waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then waits until it has ended; an error if it does not in time (it is killed then).
    pub(crate) async fn terminate(&mut self, timeout: Duration) -> anyhow::Result<ExitStatus> {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw)
            && self.ended().is_none()
        {
            kill_process(pid, Signal::TERM)
                .with_context(|| format!("cannot send SIGTERM to {}", self.name))?;
        }
        let what = format!("{} to end after SIGTERM", self.name);
        let child = std::sync::Mutex::new(&mut self.child);
        let status = wait::until(&what, timeout, async || {
            let mut child = child.lock().map_err(|_| anyhow!("poisoned"))?;
            child.try_wait()?.context("it still runs")
        });
        match status.await {
            Ok(status) => Ok(status),
            Err(error) => {
                self.kill9();
                Err(anyhow!("{error}{}", self.log_tail()))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Whether a process with this id runs. One that has ended but was not waited for yet does not.
pub fn is_running(pid: u32) -> bool {
    // The state follows the program's name, which is in parentheses and may hold anything.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// The last `lines` lines of a log, headed by its path.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    let last = all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n");
    format!("\n--- end of {}:\n{last}\n---", log.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, script: &str) -> Program {
        Program {
            name: "script".into(),
            path: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("GREETING".into(), "hello".into())],
            log: folder.join("script.log"),
        }
    }

    async fn logged(folder: &Path, line: &str) {
        wait::until("the script to write", wait::PATIENCE, async || {
            let text = fs::read_to_string(folder.join("script.log"))?;
            text.contains(line).then_some(()).context(text)
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_process_ends_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let process = program(folder.path(), "echo $GREETING; exec sleep 600").start().unwrap();
        logged(folder.path(), "hello").await;
        let pid = process.pid();
        assert!(is_running(pid));
        drop(process);
        assert!(!is_running(pid));
    }

    #[tokio::test]
    async fn a_process_outlives_the_thread_that_asked_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let script = program(folder.path(), "trap 'echo alive' USR1; echo up; while :; do sleep 0.05; done");
        let (end, ending) = mpsc::channel::<()>();
        let (send, receive) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            send.send(script.start().unwrap()).unwrap();
            ending.recv().unwrap();
        });
        let process = receive.recv().unwrap();
        // Once it speaks, it has asked for its death signal; only then may the thread end.
        logged(folder.path(), "up").await;
        end.send(()).unwrap();
        thread.join().unwrap();
        let pid = Pid::from_raw(i32::try_from(process.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::USR1).unwrap();
        logged(folder.path(), "alive").await;
    }

    #[tokio::test]
    async fn an_ended_process_shows_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = program(folder.path(), "echo no such flag; exit 3").start().unwrap();
        logged(folder.path(), "no such flag").await;
        let status = process.terminate(wait::PATIENCE).await.unwrap();
        assert_eq!(status.code(), Some(3));
        let error = process.check_running().unwrap_err().to_string();
        let log = folder.path().join("script.log");
        let expected =
            format!("script ended (exit status: 3)\n--- end of {}:\nno such flag\n---", log.display());
        assert_eq!(error, expected);
    }

    #[tokio::test]
    async fn a_process_that_ignores_sigterm_is_killed_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut process =
            program(folder.path(), "trap '' TERM; echo deaf; while :; do sleep 1; done").start().unwrap();
        logged(folder.path(), "deaf").await;
        let error = process.terminate(Duration::from_millis(200)).await.unwrap_err().to_string();
        assert!(
            error.starts_with("waited 0.2 s for script to end after SIGTERM; last seen: it still runs"),
            "{error}"
        );
        assert!(!is_running(process.pid()));
    }

    #[test]
    fn init_runs_and_an_impossible_process_does_not() {
        assert_eq!([is_running(1), is_running(u32::MAX)], [true, false]);
    }
}
