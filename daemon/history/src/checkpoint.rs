//! The last known state of the daemon on disk: opaque bytes, whole or not at all, the two newest generations of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Damaged, HistoryError, durable};

const MAGIC: &[u8; 8] = b"NCAPCKPT";
const VERSION: u32 = 1;
/// Magic, version, generation, length, checksum.
const HEADER: usize = 8 + 4 + 8 + 8 + 4;
/// The two files, written in turn.
const SLOTS: [&str; 2] = ["checkpoint-a", "checkpoint-b"];

/// Keeps a blob across restarts.
#[derive(Debug)]
pub struct CheckpointStore {
    folder: PathBuf,
    /// The generation that is written next; its slot is the older one's.
    next: u64,
}

/// What was found on start.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The newest whole blob, if there is one.
    pub blob: Option<Vec<u8>>,
    /// Files that could not be used. If `blob` is there nevertheless, it is the one from before.
    pub damaged: Vec<Damaged>,
}

impl CheckpointStore {
    /// Opens the store in `folder` and gives what was saved last.
    pub fn open(folder: &Path) -> Result<(Self, Checkpoint), HistoryError> {
        durable::make_folder(folder)?;
        let mut found = Checkpoint::default();
        let mut newest = None;
        let mut next = 1;
        for name in SLOTS {
            let path = folder.join(name);
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(HistoryError::read(&path, error)),
            };
            match decode(&bytes) {
                Ok((generation, blob)) => {
                    next = next.max(generation + 1);
                    if newest.as_ref().is_none_or(|&(known, _)| generation > known) {
                        newest = Some((generation, blob.to_vec()));
                    }
                }
                Err(Unusable::Newer(version)) => {
                    return Err(HistoryError::Newer { path, found: version, known: VERSION });
                }
                Err(Unusable::Damaged(reason)) => {
                    found.damaged.push(Damaged { path: path.as_path().into(), reason });
                }
            }
        }
        // The next one may not take the place of the only good one.
        if let Some((generation, blob)) = newest {
            next = next.max(generation + 1);
            found.blob = Some(blob);
        }
        Ok((Self { folder: folder.to_owned(), next }, found))
    }

    /// Saves `blob` as the newest. On an error the last one saved stands.
    pub fn save(&mut self, blob: &[u8]) -> Result<(), HistoryError> {
        durable::write(&self.folder, slot(self.next), &encode(self.next, blob))?;
        self.next += 1;
        Ok(())
    }

    /// The file that holds the newest blob, to be told to people.
    pub fn path(&self) -> PathBuf {
        self.folder.join(slot(self.next.wrapping_sub(1)))
    }
}

/// A generation lies in the slot of its parity, so that the one before it stays.
fn slot(generation: u64) -> &'static str {
    if generation.is_multiple_of(2) { SLOTS[0] } else { SLOTS[1] }
}

fn encode(generation: u64, blob: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + blob.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    bytes.extend_from_slice(&(blob.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&checksum(generation, blob).to_le_bytes());
    bytes.extend_from_slice(blob);
    bytes
}

enum Unusable {
    Newer(u32),
    Damaged(String),
}

fn decode(bytes: &[u8]) -> Result<(u64, &[u8]), Unusable> {
    let damaged = |reason: String| Err(Unusable::Damaged(reason));
    let short = || Unusable::Damaged(format!("it ends after {} bytes, within its header", bytes.len()));
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    if magic != MAGIC {
        return damaged("it is no checkpoint of Nightcap".to_owned());
    }
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let version = u32::from_le_bytes(*version);
    if version > VERSION {
        return Err(Unusable::Newer(version));
    }
    let (generation, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (sum, blob) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let (generation, length) = (u64::from_le_bytes(*generation), u64::from_le_bytes(*length));
    if blob.len() as u64 != length {
        return damaged(format!("it holds {} bytes of {length}", blob.len()));
    }
    if checksum(generation, blob) != u32::from_le_bytes(*sum) {
        return damaged("its checksum does not agree with its content".to_owned());
    }
    Ok((generation, blob))
}

fn checksum(generation: u64, blob: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&generation.to_le_bytes());
    hasher.update(blob);
    hasher.finalize()
}
