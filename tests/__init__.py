"""What Assay must do, as facts."""
