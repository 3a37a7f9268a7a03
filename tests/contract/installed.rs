//! Packages of other languages that tests need: installed into `target/` from committed lock files on first
//! use, and kept.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

/// One installation at a time, however many tests want it.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Where packages are installed: beside the tests' other files, kept between runs.
fn home(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    std::fs::create_dir_all(&home).unwrap();
    home
}

/// Runs a command and says what it wrote if it failed.
pub(crate) fn run(command: &mut Command, needs: &str) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}; install {needs}", command.get_program().display())
    });
    assert!(
        output.status.success(),
        "{command:?} failed\n{}{}\n(it needs {needs})",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// Whether what is installed in `home` is what `lock` says.
fn is_installed(home: &Path, lock: &str) -> bool {
    std::fs::read_to_string(home.join("installed")).is_ok_and(|installed| installed == lock)
}

/// A Python that has what `requirements.txt` in `folder` locks, kept under `name`.
pub(crate) fn python(name: &str, folder: &Path) -> PathBuf {
    let _installing = INSTALLING.lock();
    let home = home(name);
    let python = home.join("bin/python");
    let requirements = folder.join("requirements.txt");
    let lock = std::fs::read_to_string(&requirements).unwrap();
    if !is_installed(&home, &lock) {
        let needs = "python3 with its venv module (Debian: apt-get install python3-venv)";
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home), needs);
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let mut install = Command::new(&python);
        install.args(pip).args(["--require-hashes", "--requirement"]).arg(&requirements);
        run(&mut install, "the Python package index");
        std::fs::write(home.join("installed"), lock).unwrap();
    }
    python
}

/// A folder that has what `package-lock.json` in `folder` locks, kept under `name`.
pub(crate) fn node(name: &str, folder: &Path) -> PathBuf {
    let _installing = INSTALLING.lock();
    let home = home(name);
    let lock = std::fs::read_to_string(folder.join("package-lock.json")).unwrap();
    if !is_installed(&home, &lock) {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(folder.join(file), home.join(file)).unwrap();
        }
        let needs = "node 18 or newer with npm (Debian: apt-get install nodejs npm)";
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        run(Command::new("npm").args(install).current_dir(&home), needs);
        std::fs::write(home.join("installed"), lock).unwrap();
    }
    home
}
