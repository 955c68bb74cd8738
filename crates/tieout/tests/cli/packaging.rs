//! What is shipped beside the program, judged by those who will read it.

use std::process::Command;

const UNIT: &str = include_str!("../../../../packaging/tieout.service");

/// Where the unit expects the program.
const INSTALLED: &str = "/usr/local/bin/tieout";

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("tieout.service");
    let text = UNIT.replace(
        &format!("ExecStart={INSTALLED}"),
        &format!("ExecStart={}", env!("CARGO_BIN_EXE_tieout")),
    );
    std::fs::write(&unit, text).unwrap();
    let judged = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&unit)
        .output();
    let Ok(judged) = judged else {
        println!("skipped: systemd-analyze is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success() && said.is_empty(), "{said}");
}
