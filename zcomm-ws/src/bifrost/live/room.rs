//! All who follow rows of one model, in groups. Locks nothing itself.

use zcomm_core::ConnectionId;
use zcomm_core::data::{Change, Permitted, Query, Watch};

use super::group::{Group, Member};

/// All who follow rows of one model.
#[derive(Default)]
pub(super) struct Room {
    /// The last notice of this model that was told here.
    pub(super) at: u64,
    groups: Vec<Group>,
}

impl Room {
    pub(super) fn tell(&mut self, change: &Change, at: u64) {
        self.at = at;
        for group in &mut self.groups {
            group.tell(change, at);
        }
    }

    pub(super) fn resync(&mut self, at: u64) {
        self.at = at;
        for group in &mut self.groups {
            group.resync(at);
        }
    }

    /// Takes a member in, to those of its kind if there are any.
    pub(super) fn join(&mut self, query: Permitted<Query>, watch: Watch, member: Member) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.is_of(&query)) {
            return group.members.push(member);
        }
        let mut group = Group::new(query, watch);
        group.members.push(member);
        self.groups.push(group);
    }

    /// Takes a member out. A group without members goes with it.
    pub(super) fn leave(&mut self, client: ConnectionId, id: u64) -> Option<Member> {
        for at in 0..self.groups.len() {
            let members = &mut self.groups[at].members;
            let Some(place) = members.iter().position(|member| member.is(client, id)) else {
                continue;
            };
            let member = members.swap_remove(place);
            if members.is_empty() {
                self.groups.swap_remove(at);
            }
            return Some(member);
        }
        None
    }

    /// Whether the member is here, and follows this query with these rights.
    pub(super) fn follows(&self, client: ConnectionId, id: u64, query: &Permitted<Query>) -> bool {
        let is_one = |member: &Member| member.is(client, id);
        let mut groups = self.groups.iter();
        groups.any(|group| group.members.iter().any(is_one) && group.is_of(query))
    }
}
