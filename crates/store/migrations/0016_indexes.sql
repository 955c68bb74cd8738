-- What others answer as well: a record's name begins with its side and kind, and the states of a flow stand beside each
-- other in the index by state. Each index less is a page less that a commit changes.
DROP INDEX records_by_kind;
DROP INDEX items_by_flow;
