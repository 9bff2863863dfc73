//! A belt in miniature: each edge holds one record, whoever sends waits for each taker in turn, and
//! whoever takes waits for one feed after the other.

use std::collections::VecDeque;

use crate::plan::graph::{Graph, Kind, Node};
use crate::words::ledger::Port;

/// A record, or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Record,
    End,
}

#[derive(Debug)]
struct Pipe {
    to: usize,
    spooled: bool,
    waiting: VecDeque<Flow>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Table {
    /// Pipes that it takes from, and whether from all at once.
    from: Vec<usize>,
    mixed: bool,
    /// What is still to be put into which pipe, in this order.
    sending: VecDeque<(usize, Flow)>,
    out: Vec<usize>,
    rejects: Vec<usize>,
    /// Records that a source has left.
    left: u32,
    ended: bool,
}

#[derive(Debug)]
pub(super) struct Model {
    tables: Vec<Table>,
    pipes: Vec<Pipe>,
}

impl Model {
    pub(super) fn new(nodes: &[Node<'_>], graph: &Graph, records: u32) -> Self {
        let left = |node: &Node<'_>| if node.kind == Kind::Source { records } else { 0 };
        let table =
            |node: &Node<'_>| Table { left: left(node), mixed: node.mixed, ..Table::default() };
        let mut model = Self { tables: nodes.iter().map(table).collect(), pipes: Vec::new() };
        for (to, links) in graph.inputs.iter().enumerate() {
            for link in links {
                let pipe = model.pipes.len();
                let (waiting, spooled) = (VecDeque::new(), link.spooled);
                model.pipes.push(Pipe { to, spooled, waiting, ended: false });
                model.tables[to].from.push(pipe);
                let from = &mut model.tables[link.from];
                match link.port {
                    Port::Out => from.out.push(pipe),
                    Port::Rejects => from.rejects.push(pipe),
                }
            }
        }
        model
    }

    /// Lets all tables do what they can, in an order that `turns` chooses, until none can.
    pub(super) fn runs_to_its_end(&mut self, mut turns: u64) -> bool {
        loop {
            let mut moved = false;
            for step in 0..self.tables.len() {
                turns = turns.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let first = usize::try_from(turns >> 33).unwrap();
                moved |= self.step((first + step) % self.tables.len());
            }
            // Everyone has its turn, whatever was chosen.
            moved |= (0..self.tables.len()).fold(false, |moved, table| self.step(table) | moved);
            if !moved {
                return self.tables.iter().all(|table| table.ended && table.sending.is_empty());
            }
        }
    }

    fn step(&mut self, index: usize) -> bool {
        if let Some((pipe, flow)) = self.tables[index].sending.front().copied() {
            let pipe = &mut self.pipes[pipe];
            if !pipe.spooled && !pipe.waiting.is_empty() {
                return false;
            }
            pipe.waiting.push_back(flow);
            self.tables[index].sending.pop_front();
            return true;
        }
        if self.tables[index].ended {
            return false;
        }
        if self.tables[index].left > 0 {
            self.tables[index].left -= 1;
            self.hand_on(index, Flow::Record);
            return true;
        }
        let Self { tables, pipes } = self;
        let open: Vec<usize> =
            tables[index].from.iter().copied().filter(|pipe| !pipes[*pipe].ended).collect();
        if open.is_empty() {
            tables[index].ended = true;
            self.hand_on(index, Flow::End);
            return true;
        }
        let ready = if tables[index].mixed { &open[..] } else { &open[..1] };
        for pipe in ready {
            let pipe = &mut pipes[*pipe];
            assert_eq!(pipe.to, index);
            match pipe.waiting.pop_front() {
                None => {}
                Some(Flow::End) => {
                    pipe.ended = true;
                    return true;
                }
                Some(Flow::Record) => {
                    self.hand_on(index, Flow::Record);
                    return true;
                }
            }
        }
        false
    }

    /// Each record leaves by both ports: that is the most that any table can send.
    fn hand_on(&mut self, index: usize, flow: Flow) {
        let table = &mut self.tables[index];
        let all = table.out.iter().chain(&table.rejects);
        let all: Vec<(usize, Flow)> = all.map(|pipe| (*pipe, flow)).collect();
        table.sending.extend(all);
    }
}
