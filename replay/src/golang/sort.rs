//! The permutation that Go's `sort.Sort` makes. It is not stable: which of two equal elements comes
//! first is decided by the algorithm (pattern-defeating quicksort over insertion sort), so a list
//! that kubectl sorted is only the same if the steps are the same.

/// Sorts as `sort.Sort` does, with the same comparisons and swaps.
pub(crate) fn sort<T>(items: &mut [T], less: impl FnMut(&T, &T) -> bool) {
    let length = items.len();
    let mut sorter = Sorter { items, less };
    sorter.quick(0, length, bits(length));
}

/// How many binary digits a number has.
fn bits(number: usize) -> u32 {
    usize::BITS - number.leading_zeros()
}

#[derive(Clone, Copy, PartialEq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

struct Sorter<'s, T, F> {
    items: &'s mut [T],
    less: F,
}

impl<T, F: FnMut(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&mut self, one: usize, other: usize) -> bool {
        match (self.items.get(one), self.items.get(other)) {
            (Some(one), Some(other)) => (self.less)(one, other),
            _ => false,
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        if one < self.items.len() && other < self.items.len() {
            self.items.swap(one, other);
        }
    }

    fn quick(&mut self, mut from: usize, mut to: usize, mut limit: u32) {
        const SHORT: usize = 12;
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = to - from;
            if length <= SHORT {
                return self.insertion(from, to);
            }
            if limit == 0 {
                return self.heap(from, to);
            }
            if !balanced {
                self.break_patterns(from, to);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.pivot(from, to);
            if hint == Hint::Decreasing {
                self.items[from..to].reverse();
                pivot = (to - 1) - (pivot - from);
                hint = Hint::Increasing;
            }
            if balanced
                && partitioned
                && hint == Hint::Increasing
                && self.partial_insertion(from, to)
            {
                return;
            }
            if from > 0 && !self.less(from - 1, pivot) {
                from = self.partition_equal(from, to, pivot);
                continue;
            }
            let (middle, already) = self.partition(from, to, pivot);
            partitioned = already;
            let (left, right) = (middle - from, to - middle);
            if left < right {
                balanced = left >= length / 8;
                self.quick(from, middle, limit);
                from = middle + 1;
            } else {
                balanced = right >= length / 8;
                self.quick(middle + 1, to, limit);
                to = middle;
            }
        }
    }

    fn insertion(&mut self, from: usize, to: usize) {
        for end in from + 1..to {
            let mut at = end;
            while at > from && self.less(at, at - 1) {
                self.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn heap(&mut self, from: usize, to: usize) {
        let length = to - from;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(root, length, from);
        }
        for end in (0..length).rev() {
            self.swap(from, from + end);
            self.sift_down(0, end, from);
        }
    }

    fn sift_down(&mut self, mut root: usize, length: usize, from: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= length {
                return;
            }
            if child + 1 < length && self.less(from + child, from + child + 1) {
                child += 1;
            }
            if !self.less(from + root, from + child) {
                return;
            }
            self.swap(from + root, from + child);
            root = child;
        }
    }

    /// Smaller elements to the left of the pivot, the others to its right.
    fn partition(&mut self, from: usize, to: usize, pivot: usize) -> (usize, bool) {
        self.swap(from, pivot);
        let (mut left, mut right) = (from + 1, to - 1);
        self.close_in(from, &mut left, &mut right);
        if left > right {
            self.swap(right, from);
            return (right, true);
        }
        self.swap(left, right);
        left += 1;
        right -= 1;
        loop {
            self.close_in(from, &mut left, &mut right);
            if left > right {
                break;
            }
            self.swap(left, right);
            left += 1;
            right -= 1;
        }
        self.swap(right, from);
        (right, false)
    }

    fn close_in(&mut self, pivot: usize, left: &mut usize, right: &mut usize) {
        while *left <= *right && self.less(*left, pivot) {
            *left += 1;
        }
        while *left <= *right && !self.less(*right, pivot) {
            *right -= 1;
        }
    }

    /// Elements equal to the pivot to the left, where no element is smaller.
    fn partition_equal(&mut self, from: usize, to: usize, pivot: usize) -> usize {
        self.swap(from, pivot);
        let (mut left, mut right) = (from + 1, to - 1);
        loop {
            while left <= right && !self.less(from, left) {
                left += 1;
            }
            while left <= right && self.less(from, right) {
                right -= 1;
            }
            if left > right {
                return left;
            }
            self.swap(left, right);
            left += 1;
            right -= 1;
        }
    }

    /// Repairs a nearly sorted range; whether it is sorted then.
    fn partial_insertion(&mut self, from: usize, to: usize) -> bool {
        const STEPS: usize = 5;
        const SHORTEST: usize = 50;
        let mut at = from + 1;
        for _ in 0..STEPS {
            while at < to && !self.less(at, at - 1) {
                at += 1;
            }
            if at == to {
                return true;
            }
            if to - from < SHORTEST {
                return false;
            }
            self.swap(at, at - 1);
            if at - from >= 2 {
                let mut left = at - 1;
                while left >= 1 && self.less(left, left - 1) {
                    self.swap(left, left - 1);
                    left -= 1;
                }
            }
            if to - at >= 2 {
                let mut right = at + 1;
                while right < to && self.less(right, right - 1) {
                    self.swap(right, right - 1);
                    right += 1;
                }
            }
        }
        false
    }

    fn break_patterns(&mut self, from: usize, to: usize) {
        let length = to - from;
        if length < 8 {
            return;
        }
        let mut random = length as u64;
        let modulus = 1usize << bits(length);
        let middle = from + (length / 4) * 2;
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = random as usize & (modulus - 1);
            if other >= length {
                other -= length;
            }
            self.swap(at, from + other);
        }
    }

    fn pivot(&mut self, from: usize, to: usize) -> (usize, Hint) {
        const NINTHER: usize = 50;
        const MOST_SWAPS: usize = 12;
        let length = to - from;
        let mut swaps = 0;
        let (mut one, mut two, mut three) = (
            from + length / 4,
            from + length / 4 * 2,
            from + length / 4 * 3,
        );
        if length >= 8 {
            if length >= NINTHER {
                one = self.median(one - 1, one, one + 1, &mut swaps);
                two = self.median(two - 1, two, two + 1, &mut swaps);
                three = self.median(three - 1, three, three + 1, &mut swaps);
            }
            two = self.median(one, two, three, &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            MOST_SWAPS => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (two, hint)
    }

    fn median(&mut self, one: usize, two: usize, three: usize, swaps: &mut usize) -> usize {
        let (one, two) = self.ordered(one, two, swaps);
        let (two, _) = self.ordered(two, three, swaps);
        let (_, two) = self.ordered(one, two, swaps);
        two
    }

    fn ordered(&mut self, one: usize, other: usize, swaps: &mut usize) -> (usize, usize) {
        if self.less(other, one) {
            *swaps += 1;
            (other, one)
        } else {
            (one, other)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sort;

    /// Keys of a multiplicative sequence with their positions, sorted by key alone.
    fn order(length: usize, modulus: usize) -> Vec<usize> {
        let mut items: Vec<(usize, usize)> = (0..length)
            .map(|at| ((at * 7919 + 13) % modulus, at))
            .collect();
        sort(&mut items, |one, other| one.0 < other.0);
        assert!(items.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        items.into_iter().map(|(_, at)| at).collect()
    }

    #[test]
    fn short_lists_are_stable_and_long_ones_are_sorted() {
        assert_eq!(order(8, 2), [1, 3, 5, 7, 0, 2, 4, 6]);
        for length in [0, 1, 12, 13, 49, 50, 51, 100, 1000] {
            for modulus in [1, 2, 3, 10, 97, 1009] {
                order(length, modulus);
            }
        }
    }

    /// What Go 1.26 makes of the same sequences.
    #[test]
    fn equal_elements_lie_as_go_leaves_them() {
        let fnv = |order: &[usize]| {
            let text: String = order.iter().map(|at| format!("{at},")).collect();
            text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            })
        };
        assert_eq!(order(13, 2), [9, 1, 3, 5, 7, 11, 2, 4, 6, 8, 0, 10, 12]);
        for (length, modulus, expected) in [
            (20, 3, 0xf75f_bb6a_521a_d29f),
            (40, 5, 0xd7aa_7682_3020_e725),
            (64, 4, 0x2fbe_7875_2279_f42f),
            (100, 7, 0x94c5_0a36_d251_79ef),
            (300, 10, 0xb30e_86ac_c5ac_0947),
            (1000, 3, 0x8818_b025_bfbd_a227),
            (1000, 97, 0x9fa6_4da1_429e_042f),
        ] {
            assert_eq!(fnv(&order(length, modulus)), expected, "{length} {modulus}");
        }
    }
}
