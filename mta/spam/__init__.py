"""Is a mail wanted? Pure functions over what was proven, what stands in it, and what is known about its sender; each
gives findings with a score and a name, and their sum is compared with the two thresholds of the recipient's domain."""
