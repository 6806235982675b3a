"""Results in other formats: PDF, Word, Excel, IAMC."""
