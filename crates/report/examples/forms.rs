//! Writes the worked example in all four forms into a folder, to be looked at.

use std::path::PathBuf;

#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let folder = PathBuf::from(folder);
    let mut report = sample::report();
    for (name, report) in [
        ("report", report.clone()),
        ("unexplained", {
            sample::spoil(&mut report);
            report
        }),
    ] {
        let path = |ending: &str| folder.join(format!("{name}.{ending}"));
        std::fs::write(path("txt"), tieout_report::text(&report, 100))?;
        std::fs::write(path("csv"), tieout_report::csv(&report))?;
        std::fs::write(path("html"), tieout_report::html(&report))?;
        std::fs::write(path("pdf"), tieout_report::pdf(&report)?)?;
    }
    Ok(())
}
