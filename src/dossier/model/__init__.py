"""What a dossier is made of: values, fields, sections, acts. Floor: model; attrs only, no input or output."""
