//! The user and group that the program continues as, and its root.

use std::env;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::unistd::{self, Gid, Uid};

/// A user, known to the system or only by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    name: String,
    uid: Uid,
    /// The user's own group; `None` for a number that the system has no entry of.
    gid: Option<Gid>,
}

/// A group, known to the system or only by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    name: String,
    gid: Gid,
}

impl User {
    /// Looks up a name or a number. All digits are first looked for as a name, as chown(1) does.
    ///
    /// # Errors
    ///
    /// There is no such user, or the system's list cannot be read.
    pub(crate) fn find(text: &str) -> Result<Self> {
        let unreadable = || format!("cannot look up the user '{text}'");
        let known = match unistd::User::from_name(text).with_context(unreadable)? {
            Some(user) => Some(user),
            None => match text.parse() {
                Ok(number) => unistd::User::from_uid(Uid::from_raw(number)).with_context(unreadable)?,
                Err(_) => bail!("there is no user '{text}'"),
            },
        };
        Ok(match (known, text.parse()) {
            (Some(user), _) => Self { name: user.name, uid: user.uid, gid: Some(user.gid) },
            // The number means "as it is" to the system calls.
            (None, Ok(u32::MAX)) | (None, Err(_)) => bail!("there is no user '{text}'"),
            (None, Ok(number)) => Self { name: text.to_owned(), uid: Uid::from_raw(number), gid: None },
        })
    }

    /// Whether the system knows which group the user belongs to.
    pub(crate) const fn has_group(&self) -> bool {
        self.gid.is_some()
    }
}

impl Group {
    /// Looks up a name or a number.
    ///
    /// # Errors
    ///
    /// There is no such group, or the system's list cannot be read.
    pub(crate) fn find(text: &str) -> Result<Self> {
        let known = unistd::Group::from_name(text).with_context(|| format!("cannot look up the group '{text}'"))?;
        let gid = match (known, text.parse()) {
            (Some(group), _) => group.gid,
            (None, Ok(u32::MAX)) | (None, Err(_)) => bail!("there is no group '{text}'"),
            (None, Ok(number)) => Gid::from_raw(number),
        };
        Ok(Self { name: text.to_owned(), gid })
    }
}

/// A change of ids that is to be made.
#[derive(Debug)]
pub(super) struct Change {
    user: Option<User>,
    gid: Gid,
    /// How it was asked for.
    words: String,
}

impl Change {
    /// What has to be changed, if anything has.
    pub(super) fn new(user: Option<&User>, group: Option<&Group>) -> Result<Option<Self>> {
        let words = match (user, group) {
            (None, None) => return Ok(None),
            (Some(user), None) => format!("user '{}'", user.name),
            (None, Some(group)) => format!("group '{}'", group.name),
            (Some(user), Some(group)) => format!("user '{}' in group '{}'", user.name, group.name),
        };
        let gid = group.map(|group| group.gid).or_else(|| user?.gid);
        let gid = gid.ok_or_else(|| anyhow!("{words} is known by number alone: give a group with --group"))?;
        let is_so = user.is_none_or(|user| user.uid == Uid::current() && user.uid == Uid::effective())
            && gid == Gid::current()
            && gid == Gid::effective();
        // Whoever starts the program may have done it already; what is left are its supplementary groups.
        if is_so && !is_root() {
            return Ok(None);
        }
        Ok(Some(Self { user: user.cloned(), gid, words }))
    }

    /// Makes it, and leaves all supplementary groups.
    pub(super) fn make(&self) -> Result<()> {
        self.set_ids().map_err(|error| match error {
            Errno::EPERM => anyhow!(
                "cannot continue as {self}: it takes root, or the capabilities CAP_SETUID and CAP_SETGID; this is {}",
                current()
            ),
            error => anyhow!("cannot continue as {self}: {error}"),
        })
    }

    fn set_ids(&self) -> nix::Result<()> {
        unistd::setgroups(&[])?;
        unistd::setresgid(self.gid, self.gid, self.gid)?;
        self.user.as_ref().map_or(Ok(()), |user| unistd::setresuid(user.uid, user.uid, user.uid))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

/// Makes `root` the root of the file system, and the working directory.
pub(super) fn change_root(root: &Path) -> Result<()> {
    unistd::chroot(root).map_err(|error| match error {
        Errno::EPERM => anyhow!(
            "cannot make {} the root: it takes root, or the capability CAP_SYS_CHROOT; this is {}",
            root.display(),
            current()
        ),
        error => anyhow!("cannot make {} the root: {error}", root.display()),
    })?;
    env::set_current_dir("/").with_context(|| format!("cannot enter {}", root.display()))
}

pub(super) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// The ids, by number: after a change of root there may be no list of names.
pub(super) fn current() -> String {
    format!("uid {} gid {}", Uid::effective(), Gid::effective())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_found() {
        let root = User::find("root").unwrap();
        assert_eq!((root.uid.as_raw(), root.gid), (0, Some(Gid::from_raw(0))));
        assert_eq!(User::find("0").unwrap(), root);
        let number = User::find("4000000000").unwrap();
        assert!(number.uid.as_raw() == 4_000_000_000 && !number.has_group());
        assert_eq!(Group::find("root").unwrap().gid.as_raw(), 0);
        assert_eq!(Group::find("4000000000").unwrap().gid.as_raw(), 4_000_000_000);
    }

    #[test]
    fn what_is_not_there_is_named() {
        for text in ["no-such-user", "-1", "4294967295", "4294967296", ""] {
            assert_eq!(User::find(text).unwrap_err().to_string(), format!("there is no user '{text}'"));
            assert_eq!(Group::find(text).unwrap_err().to_string(), format!("there is no group '{text}'"));
        }
    }

    #[test]
    fn a_number_alone_has_no_group() {
        let user = User::find("4000000000").unwrap();
        let error = Change::new(Some(&user), None).unwrap_err().to_string();
        assert_eq!(error, "user '4000000000' is known by number alone: give a group with --group");
        assert!(Change::new(Some(&user), Some(&Group::find("0").unwrap())).unwrap().is_some());
    }
}
