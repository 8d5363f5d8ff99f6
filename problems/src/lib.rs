//! What an AIOps agent is asked, what it may do, and how it is scored.
