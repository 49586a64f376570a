"""Customer archives (客户档案): one dossier a customer, every value with its origin, every reader on record."""
