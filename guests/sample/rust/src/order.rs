//! A map that knows the order in which its members came.

use std::collections::{BTreeMap, VecDeque};

/// What is known of traces, by their ids. It sorts ids, as whoever sends them could make them all
/// fall into one place of a hash table.
pub struct OldestFirst<T> {
    members: BTreeMap<Vec<u8>, T>,
    order: VecDeque<Vec<u8>>,
}

impl<T> OldestFirst<T> {
    pub fn new() -> Self {
        OldestFirst {
            members: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn get_mut(&mut self, id: &[u8]) -> Option<&mut T> {
        self.members.get_mut(id)
    }

    /// The member of that id, made first where there is none.
    pub fn entry(&mut self, id: Vec<u8>, make: impl FnOnce() -> T) -> &mut T {
        self.members.entry(id.clone()).or_insert_with(|| {
            self.order.push_back(id);
            make()
        })
    }

    pub fn oldest(&self) -> Option<&T> {
        self.order.front().and_then(|id| self.members.get(id))
    }

    pub fn take_oldest(&mut self) -> Option<(Vec<u8>, T)> {
        self.members.remove_entry(&self.order.pop_front()?)
    }
}
