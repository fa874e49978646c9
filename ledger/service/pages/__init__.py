"""What the explorer's pages show: one use-case a page, each reading public records only.

They return closed records with names in both languages and times in Unix seconds; how they look is the
explorer's. `ledger.service.pages.names.public_values` is their one gate to private documents.
"""
