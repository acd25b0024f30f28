//! Moving a home: what stands beside its record before and after, so that the home counts as a copy in neither place.
//!
//! Whoever moves a home holds both of its locks and does it in this order: save what [`Move::begin`] says, rename
//! the folder, take the keyring's entries along, save what [`Move::end`] says. A crash anywhere between leaves one
//! folder that counts, and the same move begun again ends it.

use crate::sidecar::Sidecar;
use crate::{Error, Home, Local, Place, Secret, StoreMode};

/// A home on its way to another path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Move {
    sidecar: Option<Sidecar>,
    keyring: InKeyring,
}

/// Whether the keyring holds something of a home, under the name of the home's path.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InKeyring {
    /// Nothing.
    Nothing,
    /// It may: a keyring that is not there holds nothing.
    Perhaps,
    /// It does, as far as is known.
    Something,
}

impl Move {
    /// Begins, with the text of `hallpass.json`, if there is one, and the store that is configured.
    ///
    /// # Errors
    /// [`Local::NewerSidecar`] when a newer version wrote it.
    pub fn begin(
        sidecar: Option<&Secret>,
        configured: Option<StoreMode>,
        from: &Home,
        to: &Home,
    ) -> Result<Self, Error> {
        let sidecar = sidecar.and_then(Sidecar::parse);
        if sidecar.as_ref().is_some_and(Sidecar::is_newer) {
            return Err(Local::NewerSidecar.into());
        }
        let mode = sidecar.as_ref().and_then(|sidecar| sidecar.store).or(configured).unwrap_or_default();
        let holds = sidecar.as_ref().is_some_and(|sidecar| sidecar.holds(Place::Keyring));
        let keyring = match mode {
            StoreMode::Keyring => InKeyring::Something,
            _ if holds => InKeyring::Something,
            StoreMode::Auto => InKeyring::Perhaps,
            StoreMode::File | StoreMode::Ephemeral => InKeyring::Nothing,
        };
        // A copy is one wherever it goes.
        let sidecar = sidecar.filter(|sidecar| !sidecar.is_copied(from)).map(|mut sidecar| {
            sidecar.moving = Some(to.path.clone());
            sidecar
        });
        Ok(Self { sidecar, keyring })
    }

    /// Whether the keyring's entries have to follow.
    pub fn keyring(&self) -> InKeyring {
        self.keyring
    }

    /// What `hallpass.json` says from now on; nothing where there is none that can
    /// be read, or where it came here with a copy.
    pub fn announcement(&self) -> Option<Secret> {
        self.sidecar.as_ref().map(Sidecar::text)
    }

    /// What `hallpass.json` says once the home is there, with its text so far. `None` where no move to this place
    /// was announced.
    pub fn end(sidecar: Option<&Secret>, to: &Home) -> Option<Secret> {
        let mut sidecar = sidecar.and_then(Sidecar::parse).filter(|sidecar| !sidecar.is_newer())?;
        let path = sidecar.moving.take().filter(|path| *path == to.path && !path.is_empty())?;
        sidecar.home.path = path;
        Some(sidecar.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn home(path: &str) -> Home {
        Home { path: path.into(), machine: "m1".into() }
    }

    fn settled() -> Secret {
        Sidecar::default().settled(&home("/p/old"), &Seed::new([7; 32])).text()
    }

    fn begun(configured: Option<StoreMode>) -> Result<Move, Error> {
        Move::begin(Some(&settled()), configured, &home("/p/old"), &home("/p/new"))
    }

    #[test]
    fn a_home_that_is_moved_is_a_copy_in_neither_place_and_a_copy_of_it_is_one() {
        let announced = begun(None).unwrap().announcement().unwrap();
        let sidecar = Sidecar::parse(&announced).unwrap();
        assert!(!sidecar.is_copied(&home("/p/old")) && !sidecar.is_copied(&home("/p/new")));
        assert!(sidecar.is_copied(&home("/p/third")));
        let ended = Sidecar::parse(&Move::end(Some(&announced), &home("/p/new")).unwrap()).unwrap();
        assert!(!ended.is_copied(&home("/p/new")) && ended.is_copied(&home("/p/old")));
    }

    #[test]
    fn what_was_not_announced_does_not_end() {
        assert_eq!(Move::end(Some(&settled()), &home("/p/new")), None);
        assert_eq!(Move::end(None, &home("/p/new")), None);
        let announced = begun(None).unwrap().announcement();
        assert_eq!(Move::end(announced.as_ref(), &home("/p/third")), None);
    }

    #[test]
    fn a_home_of_another_machine_stays_one() {
        let announced = begun(None).unwrap().announcement();
        let here = Home { machine: "m2".into(), ..home("/p/new") };
        let ended = Sidecar::parse(&Move::end(announced.as_ref(), &here).unwrap()).unwrap();
        assert!(ended.is_copied(&here));
    }

    #[test]
    fn the_keyring_is_asked_where_it_may_hold_something() {
        for (configured, expected) in [
            (None, InKeyring::Nothing),
            (Some(StoreMode::File), InKeyring::Nothing),
            (Some(StoreMode::Auto), InKeyring::Perhaps),
            (Some(StoreMode::Keyring), InKeyring::Something),
        ] {
            assert_eq!(begun(configured).unwrap().keyring(), expected);
        }
    }

    #[test]
    fn a_copy_stays_one_and_what_a_newer_version_wrote_is_left_alone() {
        let (from, to) = (home("/backup"), home("/p/new"));
        let copy = Move::begin(Some(&settled()), None, &from, &to).unwrap();
        assert_eq!(copy.announcement(), None);
        assert_eq!(Move::begin(None, None, &from, &to).unwrap().announcement(), None);
        let newer = Move::begin(Some(&Secret::new("{\"version\":2}")), None, &from, &to);
        assert_eq!(newer.unwrap_err().code(), "newer_version");
    }
}
