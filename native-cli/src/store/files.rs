//! The files of a home: the record, the sidecar, the parked answer, the client's secret and the key of its tokens.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hallpass_core::{Secret, StoreTrouble};
use zeroize::Zeroizing;

use super::failure::{Result, at, from_io};
use super::platform::{self, Folder, Found, Opened, folder_of, temporary_name};
use super::{LIMIT, text};

/// How long a record that is no JSON is read again: another tool may be rewriting it in place.
const PATIENCE: Duration = Duration::from_millis(500);

/// The files of one home.
#[derive(Debug)]
pub(super) struct Files {
    home: PathBuf,
    /// Whether the leftovers of crashes have been removed.
    swept: bool,
}

/// A file of a home.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Name {
    Record,
    Sidecar,
    Parked,
    /// Parked for a keyring, sealed.
    Sealed,
    Client,
    Proof,
}

impl Name {
    const ALL: [Self; 6] = [Self::Record, Self::Sidecar, Self::Parked, Self::Sealed, Self::Client, Self::Proof];

    fn file_name(self) -> &'static OsStr {
        OsStr::new(match self {
            Self::Record => "auth.json",
            Self::Sidecar => "hallpass.json",
            Self::Parked => "hallpass.parked",
            Self::Sealed => "hallpass.parked.age",
            Self::Client => "hallpass.client.json",
            Self::Proof => "hallpass.proof.pem",
        })
    }
}

/// What is found when a file is read once.
pub(super) enum Reading {
    Whole(Option<Secret>),
    /// A record that is no JSON: another tool may be in the middle of writing it.
    Torn(Secret),
}

/// Where a record that nobody can read is kept, before a login writes over it.
const CORRUPT: &str = "auth.json.corrupt";

impl Files {
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home, swept: false }
    }

    pub(super) fn path(&self, name: Name) -> PathBuf {
        self.home.join(name.file_name())
    }

    pub(super) fn load(&self, name: Name) -> Result<Option<Secret>> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match self.look(name)? {
                Reading::Whole(found) => return Ok(found),
                Reading::Torn(text) if start.elapsed() >= PATIENCE => return Ok(Some(text)),
                Reading::Torn(_) => {
                    std::thread::sleep(pause.min(PATIENCE.saturating_sub(start.elapsed())));
                    pause = (pause * 2).min(Duration::from_millis(5));
                }
            }
        }
    }

    /// Reads a file once.
    pub(super) fn look(&self, name: Name) -> Result<Reading> {
        let Some(text) = read(&self.path(name), name)? else { return Ok(Reading::Whole(None)) };
        Ok(match name {
            Name::Record if !text::is_json(text.expose()) => Reading::Torn(text),
            Name::Parked | Name::Sealed => Reading::Whole(Some(text::last_whole_line(text.expose()).into())),
            Name::Record | Name::Sidecar | Name::Client | Name::Proof => Reading::Whole(Some(text)),
        })
    }

    pub(super) fn save(&mut self, name: Name, contents: &Secret) -> Result<()> {
        platform::create_home(&self.home)?;
        self.sweep()?;
        let (target, present) = self.replaceable(name)?;
        match name {
            Name::Record => self.keep_aside_corrupt(present),
            Name::Parked | Name::Sealed if self.park(name, contents)? => return Ok(()),
            Name::Parked | Name::Sealed | Name::Sidecar | Name::Client | Name::Proof => {}
        }
        replace(&target, contents.expose().as_bytes())
    }

    /// Writes into the room that was reserved: after what stands there, so that a crash in the middle leaves it
    /// whole. `false` when there is not enough room.
    fn park(&self, name: Name, contents: &Secret) -> Result<bool> {
        let path = self.path(name);
        let Found::File(opened) = platform::open(&path, true)? else { return Ok(false) };
        let before = read_opened(&path, &opened)?;
        let line = Secret::new(format!("\n{}", text::on_one_line(contents.expose())));
        let offset = before.expose().trim_end().len() as u64;
        if !text::is_json(contents.expose()) || offset + line.len() as u64 > opened.size {
            return Ok(false);
        }
        platform::write_at(&opened, line.expose().as_bytes(), offset)?;
        Ok(true)
    }

    pub(super) fn reserve(&mut self, name: Name, intent: &Secret, size: usize) -> Result<()> {
        platform::create_home(&self.home)?;
        self.sweep()?;
        let padded = Secret::new(text::padded(intent.expose(), size));
        let (record, _) = self.replaceable(Name::Record)?;
        if platform::is_mount_point(&record) {
            return Err(at(&record, StoreTrouble::Busy, "is mounted by itself, so that it cannot be replaced"));
        }
        if folder_of(&record) != folder_of(&self.path(Name::Record)) {
            try_room(&record, padded.expose())?;
        }
        let (parked, present) = self.replaceable(name)?;
        if present.is_some() {
            // An answer may lie there whose record somebody renamed, and died before that was durable.
            if let Some(folder) = Folder::open(folder_of(&record))? {
                folder.sync()?;
            }
        }
        replace(&parked, padded.expose().as_bytes())
    }

    pub(super) fn remove(&self, name: Name) -> Result<bool> {
        let path = self.path(name);
        let mut existed = false;
        if name == Name::Record {
            if path.is_symlink() {
                let target = platform::follow(&path)?;
                // Nothing but a file of our own is removed for a link's sake.
                if let Found::File(_) = platform::open(&target, false)? {
                    existed |= remove_with_leftover(&target)?;
                }
            }
            if let Some(folder) = Folder::open(&self.home)? {
                folder.remove(OsStr::new(CORRUPT))?;
            }
        }
        Ok(remove_with_leftover(&path)? || existed)
    }

    /// The path at which this file is to be replaced, once it is clear that it may be, and what is there now.
    fn replaceable(&self, name: Name) -> Result<(PathBuf, Option<Opened>)> {
        let path = self.path(name);
        let (target, found): (PathBuf, Found) = match platform::open(&path, false)? {
            Found::Link if name == Name::Record => {
                let target = platform::follow(&path)?;
                let found = platform::open(&target, false)?;
                (target, found)
            }
            found => (path, found),
        };
        match found {
            Found::Nothing => Ok((target, None)),
            Found::File(opened) => {
                opened.check_replaceable()?;
                Ok((target, Some(opened)))
            }
            Found::Link => Err(not_followed(&target)),
        }
    }

    /// Copies a record that is no JSON to a name of its own: once, and as well as it goes.
    fn keep_aside_corrupt(&self, record: Option<Opened>) {
        let Some(Ok(bytes)) = record.map(|opened| read_bytes(&opened).map(Zeroizing::new)) else { return };
        let is_expendable = std::str::from_utf8(&bytes).is_ok_and(|text| {
            let text = text.trim_start_matches('\u{feff}').trim();
            text.is_empty() || text::is_json(text)
        });
        let kept = self.home.join(CORRUPT);
        if !is_expendable && !kept.exists() {
            let _ = Folder::open(&self.home).and_then(|folder| match folder {
                Some(folder) => folder.replace(OsStr::new(CORRUPT), &bytes),
                None => Ok(()),
            });
        }
    }

    /// Removes what earlier processes left when they died: half-written files with tokens in them.
    fn sweep(&mut self) -> Result<()> {
        if !self.swept {
            if let Some(folder) = Folder::open(&self.home)? {
                for name in Name::ALL {
                    folder.remove(&temporary_name(name.file_name()))?;
                }
            }
            self.swept = true;
        }
        Ok(())
    }
}

fn read(path: &Path, name: Name) -> Result<Option<Secret>> {
    match platform::open(path, false)? {
        Found::Nothing => Ok(None),
        Found::File(opened) => read_opened(path, &opened).map(Some),
        Found::Link if name == Name::Record => {
            let target = platform::follow(path)?;
            match platform::open(&target, false)? {
                Found::Nothing => Ok(None),
                Found::File(opened) => read_opened(&target, &opened).map(Some),
                Found::Link => Err(not_followed(&target)),
            }
        }
        Found::Link => Err(not_followed(path)),
    }
}

/// The text of a small regular file that nobody but its trusted owner can have written; nothing where there is none.
pub(crate) fn read_trusted(path: &Path, limit: usize) -> Result<Option<String>> {
    match platform::open(path, false)? {
        Found::Nothing => Ok(None),
        Found::Link => Err(not_followed(path)),
        Found::File(opened) if opened.is_writable_by_all() => {
            Err(at(path, StoreTrouble::Unsafe, "everybody may change it"))
        }
        Found::File(opened) if usize::try_from(opened.size).is_ok_and(|size| size <= limit) => {
            read_opened(path, &opened).map(|text| Some(text.expose().to_owned()))
        }
        Found::File(_) => Err(at(path, StoreTrouble::Unsafe, format_args!("larger than {limit} bytes"))),
    }
}

fn read_opened(path: &Path, opened: &Opened) -> Result<Secret> {
    let bytes = read_bytes(opened).map_err(|error| from_io(path, &error))?;
    if bytes.len() > LIMIT {
        return Err(at(path, StoreTrouble::Unreadable, "larger than 1 MiB"));
    }
    text::decode(bytes).map_err(|(kind, cause)| at(path, kind, cause))
}

/// Reads a file from its start, one byte beyond the limit at the most.
pub(super) fn read_bytes(opened: &Opened) -> std::io::Result<Vec<u8>> {
    let most = LIMIT + 1;
    let mut bytes = vec![0; most.min(usize::try_from(opened.size).unwrap_or(most) + 1)];
    let mut file = &opened.file;
    let mut length = 0;
    loop {
        match file.read(&mut bytes[length..])? {
            // Regular files give all they have: less than asked for is the end.
            read if length + read < bytes.len() => {
                bytes.truncate(length + read);
                return Ok(bytes);
            }
            read => length += read,
        }
        if length == most {
            return Ok(bytes);
        }
        bytes.resize(most.min(length * 2), 0);
    }
}

/// Puts a file there in one durable step, for its owner alone.
pub(crate) fn replace(target: &Path, contents: &[u8]) -> Result<()> {
    let name = target.file_name().ok_or_else(|| at(target, StoreTrouble::Unsafe, "no file name"))?;
    let folder = Folder::open(folder_of(target))?
        .ok_or_else(|| at(target, StoreTrouble::NoHome, "its folder does not exist"))?;
    folder.replace(name, contents)
}

/// Finds out whether a file of this size could be put beside the one that it is to replace.
fn try_room(target: &Path, contents: &str) -> Result<()> {
    let name = target.file_name().ok_or_else(|| at(target, StoreTrouble::Unsafe, "no file name"))?;
    let trial = temporary_name(name);
    replace(&target.with_file_name(&trial), contents.as_bytes())?;
    remove_with_leftover(&target.with_file_name(trial)).map(drop)
}

pub(super) fn remove_with_leftover(path: &Path) -> Result<bool> {
    let (Some(name), Some(folder)) = (path.file_name(), Folder::open(folder_of(path))?) else { return Ok(false) };
    folder.remove(&temporary_name(name))?;
    let existed = folder.remove(name)?;
    folder.sync()?;
    Ok(existed)
}

fn not_followed(path: &Path) -> hallpass_core::StoreFailure {
    at(path, StoreTrouble::Unsafe, "a symbolic link")
}
