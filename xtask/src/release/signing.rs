//! Signing the sums with a tool that receivers have: ssh-keygen, or minisign. The key never leaves its file.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What a signature of ssh-keygen's is good for: one for files opens no session.
const NAMESPACE: &str = "file";

/// Signs a file, and says where the signature lies.
pub(super) fn sign(key: &Path, file: &Path) -> Result<PathBuf> {
    let text =
        std::fs::read_to_string(key).with_context(|| format!("reading {}", key.display()))?;
    let (mut command, ending) = match kind(&text) {
        Some(Kind::Ssh) => {
            let mut command = Command::new("ssh-keygen");
            command.args(["-Y", "sign", "-n", NAMESPACE, "-f"]);
            command.arg(key).arg(file);
            (command, "sig")
        }
        Some(Kind::Minisign) => {
            let mut command = Command::new("minisign");
            command.arg("-S").arg("-s").arg(key).arg("-m").arg(file);
            (command, "minisig")
        }
        None => bail!(
            "{} is no private key of ssh-keygen's or minisign's",
            key.display()
        ),
    };
    let status = command
        .status()
        .context("the tool that signs isn't there")?;
    if !status.success() {
        bail!("{} was not signed", file.display());
    }
    let mut signature = file.as_os_str().to_owned();
    signature.push(format!(".{ending}"));
    Ok(signature.into())
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Ssh,
    Minisign,
}

/// Whose key it is, by its first line.
fn kind(text: &str) -> Option<Kind> {
    let first = text.lines().next().unwrap_or_default();
    if first.contains("OPENSSH PRIVATE") {
        return Some(Kind::Ssh);
    }
    first.contains("minisign").then_some(Kind::Minisign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_first_line() {
        let ssh = concat!("-----BEGIN OPENSSH ", "PRIVATE KEY-----\n");
        assert_eq!(kind(ssh), Some(Kind::Ssh));
        let minisign = "untrusted comment: minisign encrypted secret key\n";
        assert_eq!(kind(minisign), Some(Kind::Minisign));
        assert_eq!(kind("anything"), None);
    }

    /// With the tool where it is there: what was signed is what is checked.
    #[test]
    fn a_signature_is_good_for_the_file_that_was_signed_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (key, file) = (folder.path().join("key"), folder.path().join("SHA256SUMS"));
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "release", "-f"])
            .arg(&key)
            .status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: ssh-keygen is not installed");
            return;
        }
        std::fs::write(&file, "abc  tieout\n").unwrap();
        let signature = sign(&key, &file).unwrap();
        let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
        let known = folder.path().join("signers");
        std::fs::write(&known, format!("release {public}")).unwrap();
        let good = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let mut command = Command::new("ssh-keygen");
            command.args(["-Y", "verify", "-n", NAMESPACE, "-I", "release", "-f"]);
            command.arg(&known).arg("-s").arg(&signature);
            command.stdin(std::fs::File::open(&file).unwrap());
            command.output().unwrap().status.success()
        };
        assert!(good("abc  tieout\n"));
        assert!(!good("abd  tieout\n"));
    }
}
