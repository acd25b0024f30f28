//! Whole lives of a home, by chance.

use hallpass_tests::simulation::{Counts, live};

#[test]
fn trial() {
    let began = std::time::Instant::now();
    let mut total = Counts::default();
    let mut bad = 0;
    for seed in 0..3_000 {
        match live(seed) {
            Ok(counts) => {
                total.flows += counts.flows;
                total.refreshes += counts.refreshes;
                total.turns += counts.turns;
                total.logins += counts.logins;
                total.deaths += counts.deaths;
            }
            Err(failure) => {
                bad += 1;
                if bad < 4 {
                    println!("{failure}");
                } else {
                    println!("{}: {}", failure.seed, failure.what);
                }
            }
        }
    }
    println!("{total:?} {:?}", began.elapsed());
}
