//! Tables that writers of all kinds make, and tables that are damaged.
