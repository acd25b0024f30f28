//! Which state follows which, to see that nobody goes round in circles.

/// Edges, in the order of the states that they leave.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// For each state, where its edges begin.
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Graph {
    /// Adds an edge. `from` never goes back.
    pub(super) fn add(&mut self, from: u32, to: u32) {
        let edge = u32::try_from(self.targets.len()).expect("there are not that many");
        while self.starts.len() <= from as usize {
            self.starts.push(edge);
        }
        self.targets.push(to);
    }

    /// A state from which there is a way back to it, among so many.
    pub(super) fn circle(&self, states: usize) -> Option<u32> {
        let mut before = vec![0_u32; states];
        for to in &self.targets {
            before[*to as usize] += 1;
        }
        let mut free: Vec<u32> =
            (0_u32..).zip(&before).filter(|(_, before)| **before == 0).map(|(state, _)| state).collect();
        while let Some(state) = free.pop() {
            for to in self.after(state) {
                before[*to as usize] -= 1;
                if before[*to as usize] == 0 {
                    free.push(*to);
                }
            }
        }
        (0_u32..).zip(&before).find(|(_, before)| **before > 0).map(|(state, _)| state)
    }

    fn after(&self, state: u32) -> &[u32] {
        let start = |state: usize| self.starts.get(state).map_or(self.targets.len(), |start| *start as usize);
        &self.targets[start(state as usize)..start(state as usize + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_and_a_detour_is_none() {
        let mut graph = Graph::default();
        for (from, to) in [(0, 1), (0, 2), (2, 1), (2, 4), (4, 1)] {
            graph.add(from, to);
        }
        assert_eq!(graph.circle(5), None);
        graph.add(4, 2);
        assert!(matches!(graph.circle(5), Some(1 | 2 | 4)));
        graph.add(5, 5);
        assert!(graph.circle(6).is_some());
    }
}
