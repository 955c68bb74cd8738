//! The rules of tieout: translation, three-way decisions, mapping. Pure.
