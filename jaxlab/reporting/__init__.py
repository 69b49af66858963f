"""What a report says, section by section; `jaxlab.report` puts them on a page."""
