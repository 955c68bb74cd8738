//! Text for a terminal.

use tieout_report::text;

use crate::{MANY, found, sample, spoiled};

const GOLDEN: &str = include_str!("report.txt");

#[test]
fn the_worked_example_reads_as_it_was_checked_by_hand() {
    let shown = text(&sample::report(), 100);
    for (number, (shown, golden)) in shown.lines().zip(GOLDEN.lines()).enumerate() {
        assert_eq!(shown, golden, "line {}", number + 1);
    }
    assert_eq!(shown, GOLDEN);
}

#[test]
fn lines_keep_to_the_width() {
    for width in [0, 60, 80, 120, 500] {
        for report in [sample::report(), spoiled()] {
            let most = width.clamp(60, 120);
            for line in text(&report, width).lines() {
                assert!(line.chars().count() <= most, "{width}: {line}");
            }
        }
    }
}

#[test]
fn what_is_not_explained_is_unmistakable_without_colour() {
    assert!(!text(&sample::report(), 100).contains("!!"));
    let shown = text(&spoiled(), 100);
    let residual = shown
        .lines()
        .find(|line| line.contains("!! NOT EXPLAINED"))
        .unwrap();
    assert!(residual.trim_start().starts_with("Residual"), "{residual}");
    assert!(residual.ends_with("-1,250,000.01"), "{residual}");
    assert!(shown.contains("?? INCOMPLETE"));
    assert!(shown.contains("!! FAILS"));
    assert!(shown.contains("!! WITHOUT THE LAST PAGE"));
}

#[test]
fn an_error_that_is_nobodys_is_marked() {
    let mut report = sample::report();
    report.items[0].owner.clear();
    report.items[1].comment.clear();
    let shown = text(&report, 100);
    assert!(shown.contains("!! owner: nobody: account is being mapped"));
    assert_eq!(shown.matches("!! owner: j.doe\n").count(), 1);
    assert!(!text(&sample::report(), 100).contains("!! owner"));
}

#[test]
fn nobody_commands_the_terminal() {
    let mut report = spoiled();
    let item = &mut report.items[0];
    let advisory = &mut report.advisories[0];
    let leg = &mut report.legs[3];
    for text in [
        &mut report.connection,
        &mut report.reasons[0],
        &mut report.notices[0],
        &mut report.ledger.account,
        &mut report.accounts[0].label,
        &mut report.period.name,
        &mut leg.title,
        &mut leg.left.label,
        &mut leg.flows[0].label,
        &mut item.cause,
        &mut item.owner,
        &mut item.comment,
        &mut advisory.vendor,
        &mut advisory.words,
        &mut report.basis[0].vendor,
        &mut report.aging[0].bucket,
        &mut report.completeness.extracts[0].what,
        &mut report.completeness.checks[0].what,
        &mut report.completeness.version,
    ] {
        text.push_str(sample::HARM);
    }
    let shown = text(&report, 80);
    let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!shown.contains(harmful));
    assert!(shown.contains("東京"));
}

#[test]
fn no_item_is_lost() {
    let shown = text(&sample::large(MANY), 80);
    assert_eq!(found(&shown).len(), MANY as usize);
}
