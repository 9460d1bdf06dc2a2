//! The marks of a report that was written as an HTML page, by which it is recognised and read back.

/// What a page of podlag's begins with.
pub(crate) const MARK: &str = "<meta name=\"generator\" content=\"podlag\">";
/// What stands before its data, and after them.
pub(crate) const DATA: (&str, &str) = ("<script type=\"application/json\" id=\"data\">", "</script>");
