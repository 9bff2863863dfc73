//! One world: a disk, a program, and what may stand where, whatever happens.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use crate::publish::files::Files;
use crate::publish::model::disk::{Bad, Disk, Fault, Inode, Kind};
use crate::publish::model::files::{Model, common, kind};
use crate::publish::model::program::{End, How, OUT, Program};
use crate::publish::state::Record;
use crate::words::fuzz::Dice;
use crate::words::marks::What;

/// A run that still goes on elsewhere writes it.
const LIVE: &str = "/out/.users.live-0.esteira-part";

/// Files of others, whose names come close.
const OTHERS: [&str; 3] =
    ["/out/.users", "/out/other.esteira-part", "/out/.users.ndjsom.2-2.esteira-part"];

/// Counts disks, each once; two that share a place in the table count as one.
pub(super) struct Seen {
    places: Vec<u64>,
    pub(super) count: u64,
}

impl Seen {
    /// Has room to tell about so many apart.
    pub(super) fn new(states: u64) -> Self {
        let places = usize::try_from(states).unwrap().next_power_of_two() / 4;
        Self { places: vec![0; places.max(1024)], count: 0 }
    }

    fn add(&mut self, hash: u64) {
        let bit = usize::try_from(hash).unwrap() % (self.places.len() * 64);
        let (place, bit) = (&mut self.places[bit / 64], 1 << (bit % 64));
        self.count += u64::from(*place & bit == 0);
        *place |= bit;
    }
}

pub(super) struct World {
    pub(super) program: Program,
    pub(super) disk: Disk,
    pub(super) dice: Dice,
    bad: Option<Bad>,
    is_plain: bool,
    /// What stood at each target before, and what is to stand there.
    old: Vec<Option<Vec<u8>>>,
    new: Vec<Vec<u8>>,
    /// Whether a run has told that it is done.
    is_done: bool,
    runs: usize,
    /// How many operations a run has, about.
    pub(super) steps: usize,
}

impl World {
    pub(super) fn new(seed: u64, records: usize, bad: Option<Bad>) -> Self {
        // Near seeds begin alike: they are stirred.
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63);
        for _ in 0..8 {
            dice.roll(2);
        }
        let (packed, is_plain) = (dice.roll(32) == 0, dice.roll(8) == 0);
        let program = Program::new(&mut dice, records, packed);
        let mut disk = Disk::new(bad, dice.0);
        let mut old = Vec::new();
        for output in &program.outputs {
            let before = (dice.roll(2) == 0).then(|| b"before".to_vec());
            if let Some(before) = &before {
                disk.place(&output.target, Inode::new(Kind::Part, before, 0o640));
            }
            old.push(before);
        }
        for path in OTHERS.iter().chain([&LIVE]) {
            disk.place(Path::new(path), Inode::new(Kind::Part, b"theirs", 0o600));
        }
        let (new, is_done, runs, steps) = (Vec::new(), false, 0, 0);
        let mut world = Self { program, disk, dice, bad, is_plain, old, new, is_done, runs, steps };
        world.undisturbed();
        world
    }

    /// Runs the program once without any disturbance, to know what is to be.
    fn undisturbed(&mut self) {
        let how = How { stop: usize::MAX, ..self.how(false) };
        let mut disk = self.disk.clone();
        disk.bad = None;
        let (end, after) = self.run(&disk, &how, Fault::Never);
        assert_eq!(end, End::Done);
        self.steps = after.done;
        for (number, output) in self.program.outputs.iter().enumerate() {
            let made = after.file(&output.target).unwrap().now.clone();
            assert!(output.is_packed || made == self.program.lines(number));
            self.new.push(made);
        }
    }

    /// A way to run it.
    pub(super) fn how(&mut self, resumes: bool) -> How {
        self.runs += 1;
        let (run, count) = (format!("{:x}", self.runs), self.program.count());
        let stop = if self.dice.roll(8) == 0 { self.dice.roll(count) } else { usize::MAX };
        let [marks, saves, most] = [(); 3].map(|()| self.dice.roll(1 << count));
        let saves = saves & most;
        How { run, resumes, marks, saves, stop, is_plain: self.is_plain }
    }

    /// Runs it on a disk; returns what is left.
    pub(super) fn run(&self, disk: &Disk, how: &How, fault: Fault) -> (End, Disk) {
        let model = Model::begin(disk, fault);
        let live = model.disk().now.get(Path::new(LIVE));
        if let Some(live) = live {
            model.disk().inodes[live].locked += 1;
        }
        let files: Arc<dyn Files> = Arc::new(model.clone());
        let end = self.program.run(&files, how, self.bad);
        drop(files);
        let disk = model.disk().clone();
        (end, disk)
    }

    /// Runs it on the disk, and takes what is left as the disk.
    pub(super) fn go(&mut self, resumes: bool, fault: Fault) -> Result<(), String> {
        let how = self.how(resumes);
        let (end, disk) = self.run(&self.disk, &how, fault);
        self.disk = disk;
        match end {
            End::Done => {
                self.is_done = true;
                self.whole(&self.disk).map_err(|why| format!("{why}, in run {how:?}, {fault:?}"))
            }
            End::CutOff => {
                // A run that could end leaves nothing, if nobody is to go on with it.
                let is_first = self.runs == 2 && how.stop == usize::MAX;
                let leaves = is_first && self.is_plain && !self.disk.is_dead;
                let checks = leaves && !matches!(fault, Fault::Forever(_));
                match Self::stray(&self.disk).filter(|_| checks) {
                    Some(path) => Err(format!("{path} is left, in run {how:?}, {fault:?}")),
                    None => Ok(()),
                }
            }
            End::Refused(why) => Err(format!("refused: {why}, in run {how:?}, {fault:?}")),
        }
    }

    /// Checks a disk that a crash left, and that a run without disturbance makes it good.
    pub(super) fn recovers(&mut self, left: &Disk, seen: &mut Seen) -> Result<(), String> {
        seen.add(hash(left));
        self.stands(left)?;
        let resumes = self.dice.roll(4) > 0;
        let mut how = How { stop: usize::MAX, ..self.how(resumes) };
        how.saves &= self.dice.roll(1 << self.program.count());
        let (end, mut after) = self.run(left, &how, Fault::Never);
        let failed = |why: String| format!("{why}, in the last run {how:?}");
        match end {
            End::Done => self.whole(&after).map_err(failed)?,
            // A run that failed and was not kept is over; the next begins afresh.
            End::CutOff => {
                let (end, disk) = self.run(&after, &how, Fault::Never);
                if end != End::Done {
                    return Err(failed(format!("never done: {end:?}")));
                }
                after = disk;
                self.whole(&after).map_err(failed)?;
            }
            End::Refused(why) => return Err(failed(format!("refused: {why}"))),
        }
        let dice = &mut self.dice;
        let lost = after.after_power_loss(&mut |ways| dice.roll(ways));
        for (output, new) in self.program.outputs.iter().zip(&self.new) {
            if lost.file(&output.target).map(|file| &file.now) != Some(new) {
                return Err(failed(format!("`{}` was not durable", output.name)));
            }
        }
        Ok(())
    }

    /// Checks that each target is the old or the new one.
    fn stands(&self, disk: &Disk) -> Result<(), String> {
        for (number, output) in self.program.outputs.iter().enumerate() {
            let found = disk.file(&output.target).map(|file| file.now.as_slice());
            let (old, new) = (self.old[number].as_deref(), self.new[number].as_slice());
            let is_new = found == Some(new);
            let is_old = found == old && !self.is_done;
            // Dead letters appear as far as they go.
            let is_begun = output.is_letters
                && found.is_some_and(|lines| new.starts_with(lines) && lines.last() != Some(&b'}'));
            if !(is_new || is_old || is_begun) {
                let found = found.map(|found| String::from_utf8_lossy(found).into_owned());
                return Err(format!("`{}` holds {found:?}", output.name));
            }
        }
        Ok(())
    }

    /// Checks that all is published, and nothing else is left.
    fn whole(&self, disk: &Disk) -> Result<(), String> {
        for (output, new) in self.program.outputs.iter().zip(&self.new) {
            let file = disk.file(&output.target);
            if file.map(|file| (&file.now, file.mode)) != Some((new, 0o640)) {
                let found = file.map(|file| String::from_utf8_lossy(&file.now).into_owned());
                return Err(format!("done, but `{}` holds {found:?}", output.name));
            }
        }
        for path in OTHERS.iter().chain([&LIVE]).map(Path::new) {
            disk.file(path).ok_or_else(|| format!("{} is not ours to touch", path.display()))?;
        }
        Self::stray(disk).map_or(Ok(()), |path| Err(format!("done, but {path} is left")))
    }

    /// Finds a temporary file that nobody uses.
    fn stray(disk: &Disk) -> Option<&str> {
        let mut paths = disk.now.iter().map(|(path, _)| path.to_str().unwrap());
        let is_theirs = |path: &str| path == LIVE || OTHERS.contains(&path);
        let is_temporary = |path: &str| kind(Path::new(path)) != Kind::Other;
        paths.find(|path| is_temporary(path) && !is_theirs(path))
    }
}

/// Sums up a disk; what only tells runs and processes apart is left out.
fn hash(disk: &Disk) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (path, inode) in disk.now.iter() {
        let bytes = &disk.inodes[*inode].now;
        if let Ok(record) = Record::decode(bytes) {
            std::mem::discriminant(&record.phase).hash(&mut hasher);
            for table in &record.tables {
                if let What::Sink(at) = &table.what {
                    (at.bytes, &at.pending).hash(&mut hasher);
                }
            }
        } else if path.starts_with(OUT) {
            (common(path), bytes).hash(&mut hasher);
        } else {
            (path.extension(), bytes.len() / 16).hash(&mut hasher);
        }
    }
    hasher.finish()
}
