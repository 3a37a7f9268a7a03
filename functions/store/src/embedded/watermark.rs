//! The watermark: the number of the last synced batch. It distinguishes a journal that lost batches
//! from one that a crash cut off.
//!
//! The file is overwritten in place after each sync, before the sync's commits are acknowledged, and is
//! never synced itself. It is exact after the process was killed. After a power failure it may be old,
//! but is never ahead.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::open_error::Cause;

const WATERMARK_FILE: &str = "watermark";

/// Number and checksum, eight bytes each.
const BYTES: usize = 16;

/// The file with the number.
#[derive(Debug)]
pub(super) struct Watermark(File);

impl Watermark {
    /// Creates and syncs the file.
    pub(super) fn create(folder: &Path, batch: u64) -> io::Result<Self> {
        let path = folder.join(WATERMARK_FILE);
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.set_len(0)?;
        let watermark = Self(file);
        watermark.advance(batch)?;
        watermark.0.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(watermark)
    }

    /// Opens the file and reads its number.
    pub(super) fn open(folder: &Path) -> Result<(Self, u64), Cause> {
        let damaged = |what: &str| Cause::Damaged { what: format!("{WATERMARK_FILE} {what}") };
        let path = folder.join(WATERMARK_FILE);
        let file = File::options().read(true).write(true).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => damaged("is missing"),
            _ => Cause::Io(error),
        })?;
        let mut bytes = [0; BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("cannot be read"),
            _ => Cause::Io(error),
        })?;
        let batch = bytes.first_chunk().map(|batch| u64::from_be_bytes(*batch));
        let batch = batch.filter(|batch| encode(*batch) == bytes);
        let batch = batch.ok_or_else(|| damaged("cannot be read"))?;
        Ok((Self(file), batch))
    }

    /// Records `batch` as the last synced one.
    pub(super) fn advance(&self, batch: u64) -> io::Result<()> {
        self.0.write_all_at(&encode(batch), 0)
    }
}

fn encode(batch: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let batch = batch.to_be_bytes();
    bytes[..8].copy_from_slice(&batch);
    bytes[8..].copy_from_slice(&Sha256::digest(batch)[..8]);
    bytes
}
