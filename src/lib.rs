//! Composition of the rooms: command line, session loop, agents.
