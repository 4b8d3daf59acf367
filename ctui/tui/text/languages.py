"""Pygments' lexers that are used: those of its 600 whose worst code is known to be bearable.

With the little that `highlight` gives a lexer at once, each of these needs at most some 50 ms.
"""

from __future__ import annotations

_NAMES = """\
ada apacheconf awk bash batch c clojure cmake coffeescript common-lisp console cpp cr css cuda
cython d dart delphi diff django docker elixir elm emacs-lisp erb erlang fish fortran fsharp gas
gdscript glsl go graphql groovy handlebars haskell hlsl html html+django http ini java
javascript json json5 jsonld jsonnet jsx julia kconfig kotlin less llvm lua make markdown matlab
meson mysql nasm nginx nimrod nixos objective-c ocaml octave perl php postgresql powershell
prolog properties protobuf puppet purescript pycon python qml racket reasonml rego
restructuredtext robotframework ruby rust sass scala scheme scss solidity splus sql sqlite3
swift systemverilog tcl terraform tex thrift toml tsx twig typescript vb.net verilog vhdl vim
vue wast xml yaml zig
"""

LANGUAGES = frozenset(_NAMES.split())
"""The first alias of each."""

LIKE = {"csharp": "typescript", "systemd": "ini"}
"""Languages whose own lexer takes seconds for a few rows of the wrong kind -> one that is close."""
