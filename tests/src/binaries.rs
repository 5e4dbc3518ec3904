//! The programs of the control plane: which they are, where they lie, and how they are built when they are not there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::workspace;

/// One Go module under `tests/control-plane` and the programs that are built from it.
///
/// Each has a module of its own because the versions of their dependencies differ. The version is read from its `go.mod`, so
/// that it is written down once.
struct Module {
    folder: &'static str,
    requires: &'static str,
    go_mod: &'static str,
    programs: &'static [(&'static str, &'static str)],
}

const MODULES: [Module; 4] = [
    Module {
        folder: "etcd",
        requires: "go.etcd.io/etcd/server/v3",
        go_mod: include_str!("../control-plane/etcd/go.mod"),
        programs: &[("etcd", "go.etcd.io/etcd/server/v3")],
    },
    Module {
        folder: "kubernetes",
        requires: "k8s.io/kubernetes",
        go_mod: include_str!("../control-plane/kubernetes/go.mod"),
        programs: &[
            ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
            ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
        ],
    },
    Module {
        folder: "kwok",
        requires: "sigs.k8s.io/kwok",
        go_mod: include_str!("../control-plane/kwok/go.mod"),
        programs: &[("kwok", "sigs.k8s.io/kwok/cmd/kwok")],
    },
    Module {
        folder: "metrics-server",
        requires: "sigs.k8s.io/metrics-server",
        go_mod: include_str!("../control-plane/metrics-server/go.mod"),
        programs: &[("metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server")],
    },
];

impl Module {
    fn version(&self) -> anyhow::Result<&'static str> {
        required_version(self.go_mod, self.requires).with_context(|| {
            format!("tests/control-plane/{}/go.mod does not require {}", self.folder, self.requires)
        })
    }
}

/// The version of `module` that the text of a `go.mod` requires.
fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require").split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten().filter(|word| word.starts_with('v'))
    })
}

/// The folder that holds the built programs: `NIGHTCAP_CONTROL_PLANE_DIR`, so that several checkouts can share one, else
/// `target/control-plane` of this workspace.
pub fn folder() -> PathBuf {
    std::env::var_os("NIGHTCAP_CONTROL_PLANE_DIR")
        .map_or_else(|| workspace().join("target/control-plane"), PathBuf::from)
}

/// The path of a program by its name, built first if it is not there yet. Building takes minutes and happens once; it blocks
/// the calling thread.
pub fn ensure(program: &str) -> anyhow::Result<PathBuf> {
    ensure_in(&folder(), program, "go")
}

fn ensure_in(folder: &Path, program: &str, go: &str) -> anyhow::Result<PathBuf> {
    let (module, package) = MODULES
        .iter()
        .find_map(|module| {
            module.programs.iter().find(|(name, _)| *name == program).map(|(_, package)| (module, package))
        })
        .with_context(|| format!("{program} is none of the control plane's programs"))?;
    let version = module.version()?;
    // One folder a version: raising one part builds that part alone.
    let place = folder.join(format!("{}-{version}", module.folder));
    let path = place.join(program);
    if path.is_file() {
        return Ok(path);
    }
    fs::create_dir_all(&place).with_context(|| format!("cannot create {}", place.display()))?;
    let lock = File::create(folder.join("build.lock"))?;
    lock.lock().context("cannot lock the folder of the control plane's programs")?;
    // Another test process may have built it while this one waited for the lock.
    if !path.is_file() {
        build(module, version, package, &path, go)?;
    }
    Ok(path)
}

fn build(module: &Module, version: &str, package: &str, path: &Path, go: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    eprintln!("building {name} {version} for the local control plane (once; up to six minutes on two cores)");
    let link = if module.folder == "kubernetes" {
        // Without these the server calls itself v0.0.0, and clients that look at the version misjudge it.
        let mut parts = version.trim_start_matches('v').split('.');
        let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let at = "k8s.io/component-base/version";
        format!("-s -w -X {at}.gitVersion={version} -X {at}.gitMajor={major} -X {at}.gitMinor={minor}")
    } else {
        "-s -w".to_owned()
    };
    // Written beside its place and renamed, so that a build that was cut off never looks like a program.
    let unfinished = path.with_extension("unfinished");
    let output = Command::new(go)
        .current_dir(workspace().join("tests/control-plane").join(module.folder))
        .env("CGO_ENABLED", "0")
        .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", &link, "-o"])
        .args([unfinished.as_os_str(), package.as_ref()])
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "cannot build {name} {version}: `{go}` was not found. Install Go 1.26 or newer (https://go.dev/dl/) and put it on \
             PATH, or set NIGHTCAP_CONTROL_PLANE_DIR to a folder in which the programs were built before"
        ),
        other => other.with_context(|| format!("cannot run `{go} build` for {name}"))?,
    };
    if !output.status.success() {
        bail!(
            "cannot build {name} {version} in tests/control-plane/{} (Go 1.26 or newer and the module proxy are needed): \
             {}",
            module.folder,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    fs::rename(&unfinished, path).with_context(|| format!("cannot put {name} at {}", path.display()))?;
    eprintln!("built {name} {version} in {} s", started.elapsed().as_secs());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_states_the_version_it_builds() {
        let versions: Vec<_> =
            MODULES.iter().map(|module| (module.folder, module.version().unwrap())).collect();
        let expected =
            [("etcd", "v3.7.3"), ("kubernetes", "v1.37.2"), ("kwok", "v0.8.0"), ("metrics-server", "v0.9.0")];
        assert_eq!(versions, expected);
    }

    #[test]
    fn a_missing_go_says_what_to_install() {
        let empty = tempfile::tempdir().unwrap();
        let error = ensure_in(empty.path(), "etcd", "no-such-go").unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot build etcd v3.7.3: `no-such-go` was not found. Install Go 1.26 or newer (https://go.dev/dl/) and put it \
             on PATH, or set NIGHTCAP_CONTROL_PLANE_DIR to a folder in which the programs were built before"
        );
    }

    #[test]
    fn a_failed_build_leaves_no_program_and_shows_the_reason() {
        let empty = tempfile::tempdir().unwrap();
        let error = ensure_in(empty.path(), "kwok", "false").unwrap_err().to_string();
        assert!(error.starts_with("cannot build kwok v0.8.0 in tests/control-plane/kwok"), "{error}");
        assert!(!empty.path().join("kwok-v0.8.0/kwok").exists());
    }

    #[test]
    fn a_program_that_is_there_is_not_built_again() {
        let full = tempfile::tempdir().unwrap();
        let path = full.path().join("kwok-v0.8.0/kwok");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        assert_eq!(ensure_in(full.path(), "kwok", "no-such-go").unwrap(), path);
    }

    #[test]
    fn an_unknown_program_is_named() {
        let error = ensure_in(Path::new("/nowhere"), "kubelet", "go").unwrap_err().to_string();
        assert_eq!(error, "kubelet is none of the control plane's programs");
    }
}
