//! The table in `tests/FAULTS.md` is complete, and names tests that exist.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cells of the rows that begin with a number.
fn rows() -> Vec<Vec<String>> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let is_row = |cells: &Vec<String>| cells.get(1).is_some_and(|first| first.parse::<u32>().is_ok());
    read("tests/FAULTS.md").lines().map(cells).filter(is_row).collect()
}

#[test]
fn every_fault_is_there_once_and_is_answered() {
    let rows = rows();
    let numbers: Vec<_> = rows.iter().map(|row| row[1].parse::<u32>().unwrap()).collect();
    let expected: Vec<_> = (1..=62).chain(74..=75).chain(92..=94).chain(97..=97).chain(101..=112).collect();
    assert_eq!(numbers, expected);
    for row in rows {
        assert_eq!(row.len(), 6, "{row:?}");
        let reasons = ["not proven", "by design", "not there yet"];
        let names_a_test = row[4].contains(".rs::") || row[4].contains(".mjs::");
        let answered = names_a_test || reasons.iter().any(|reason| row[4].contains(reason));
        assert!(answered && row[2..5].iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut named = 0;
    for row in rows() {
        for name in row[4].split('`').skip(1).step_by(2).filter(|name| name.contains(".rs")) {
            let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("{name} is no test"));
            let source = read(file);
            let at = source.find(&format!("fn {test}(")).unwrap_or_else(|| panic!("there is no {name}"));
            let before = source[..at].trim_end();
            assert!(before.ends_with(']') && before.rsplit("\n\n").next().unwrap().contains("#[test]"), "{name}");
            named += 1;
        }
    }
    assert!(named > 60, "{named}");
}

#[test]
fn every_test_in_a_browser_that_is_named_exists() {
    let mut named = 0;
    for row in rows() {
        for name in row[4].split('`').skip(1).step_by(2).filter(|name| name.contains(".mjs::")) {
            let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("{name} is no test"));
            // What differs from one test of a kind to the next is left out of their name.
            assert!(read(file).lines().any(|line| line.contains("test(") && line.contains(test)), "there is no {name}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}
