"""How Sphinx builds the site: `nox -s docs`."""

from batchwright import __version__

project = "batchwright"
author = "The batchwright developers"
copyright = "2026, the batchwright developers"  # noqa: A001 - Sphinx wants this name.
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build"]
# In docstrings a name in single backticks is a link where there is something to link to.
default_role = "py:obj"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
copybutton_prompt_text = ">>> "

# Types stand in the signatures; docstrings say what they mean.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False

html_theme = "furo"
html_title = "batchwright"
