"""The tabs of the studio, one module each: `build(source)` makes its controls and says how they are drawn."""
