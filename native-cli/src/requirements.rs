//! What the administrator of this machine permits: the managed file `requirements.toml`, which the Codex CLI reads too.
//!
//! ```toml
//! allowed_login_methods = ["chatgpt"]            # Codex's keys; it has more, which are left alone
//! allowed_chatgpt_workspaces = ["ws-1"]
//!
//! [hallpass]                                     # ours; an unknown key in here permits nothing at all
//! allowed_issuers = ["https://auth.openai.com"]
//! allowed_stores = ["keyring"]
//! forbid_plaintext = true
//! forbid_endpoint_overrides = true
//! ```
//!
//! The file counts only where nobody but an administrator can have written it; where it is there and does not count,
//! nothing is permitted. No variable and no argument says where it is.

#[cfg_attr(not(unix), path = "requirements/open_elsewhere.rs")]
mod open;

use std::path::{Path, PathBuf};

use hallpass_core::settings::{Origin, Settings};
use hallpass_core::{Error, Forbidden, Policy, Secret, Slot, StoreFailure, StoreTrouble};

use crate::config::{Document, read};

/// No such file is as large as this.
const LIMIT: u64 = 1024 * 1024;

/// Where the file is: what the build option `HALLPASS_REQUIREMENTS` says, else where Codex looks for it.
const PATH: &str = match option_env!("HALLPASS_REQUIREMENTS") {
    Some(path) => path,
    // A variable (`%ProgramData%`) would be the user's to set.
    None if cfg!(windows) => r"C:\ProgramData\OpenAI\Codex\requirements.toml",
    None => "/etc/codex/requirements.toml",
};

/// A managed file, and what it permits.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// Where it is.
    pub path: PathBuf,
    /// Its values, with their places.
    pub settings: Settings,
    /// What they permit.
    pub policy: Policy,
}

impl Requirements {
    /// Reads the file of this machine; `None` where there is none.
    ///
    /// # Errors
    /// [`Forbidden::Requirements`] when there is one that cannot be read, trusted or understood. What is in it is never
    /// quoted.
    pub fn read() -> Result<Option<Self>, Error> {
        Self::read_from(Path::new(PATH))
    }

    /// Reads the file under this path, which is judged as that of this machine would be.
    ///
    /// # Errors
    /// As [`Requirements::read`].
    pub fn read_from(path: &Path) -> Result<Option<Self>, Error> {
        let name = path.display().to_string();
        let refuse = |detail: String| Error::from(Forbidden::Requirements { detail });
        let Some(mut file) = open::open(path).map_err(|cause| refuse(format!("{name}: {cause}")))? else {
            return Ok(None);
        };
        let text = read(&mut file, LIMIT).map_err(|cause| refuse(format!("{name}: {cause}")))?;
        let understood = Document::parse(&text, &name, Origin::Managed)
            .and_then(|document| Ok((Policy::of(&document.settings)?, document.settings)));
        let (policy, settings) = understood.map_err(|error| refuse(error.to_string()))?;
        Ok(Some(Self { path: path.to_owned(), settings, policy }))
    }
}

/// The policy of this machine; without a file everything is permitted.
///
/// # Errors
/// As [`Requirements::read`].
pub fn in_force() -> Result<Policy, Error> {
    Ok(Requirements::read()?.map(|requirements| requirements.policy).unwrap_or_default())
}

/// Whether the policy at this moment permits to write this.
pub(crate) fn permit_save(slot: Slot, contents: &Secret) -> Result<(), StoreFailure> {
    let policy =
        in_force().map_err(|error| StoreFailure { kind: StoreTrouble::Forbidden, detail: error.to_string() })?;
    policy.permits_save(slot, contents)
}
