"""The facade: archive, actors at their desks, the one read path and the one write path.

Floor: desk. `archive` create and open; `desk` the verbs; `reading`, `writing` the two paths; `acting` one act;
`layout` rows and index columns; `terms` what stands in them; `finding`, `comparing` queries; `recording` the ledger;
the counters `claims`, `merges`, `relations`, `ledger`.
"""
