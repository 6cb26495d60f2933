# What gojq defines and jaq does not, or differently.
def nan: not_a_number;
def infinite: 1e1000;
def isnan: if isnumber then is_nan else error("\(type) is no number") end;
def isinfinite: . == infinite or . == -infinite;
def isfinite: isnumber and (isinfinite | not);
def isnormal: isnumber and ((. == 0 or is_nan or isinfinite) | not);
def finites: select(isfinite);
def normals: select(isnormal);
def logb: if . == 0 then -infinite elif isinfinite then infinite elif is_nan then . else ilogb end;
def significand: if . == 0 or isinfinite or is_nan then . else scalbln(.; ilogb | -1 * .) end;
def capture_all: map(select(.name) | {(.name): .string}) | add + {};
def test(re; flags): matches(re; flags) != [];
def match(re; flags): matches(re; flags)[] | .[0] + {captures: .[1:]};
def capture(re; flags): matches(re; flags)[] | capture_all;
def scan(re; flags): matches(re; "g" + flags)[] | [.[].string] | if .[1:] == [] then .[0] else .[1:] end;
def test($val): if $val | isarray then test($val[0]; $val[1]) else test($val; null) end;
def match($val): if $val | isarray then match($val[0]; $val[1]) else match($val; null) end;
def capture($val): if $val | isarray then capture($val[0]; $val[1]) else capture($val; null) end;
def scan($val): if $val | isarray then scan($val[0]; $val[1]) else scan($val; "") end;
def tostring: if isstring then . else tojson end;
def @text: tostring;
def @json: tojson;
def input_line_number: 0;
def walk(f): def w: if isobject then map_values(w) elif isarray then map(w) end | f; w;
def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];
def from_entries: reduce .[] as $x ({};
  . + ($x
    | (if .key == null then .k // .name // .Name // .K // .Key else .key end
      | if isstring then . else tojson end) as $k
    | {($k): (if has("value") then .value elif has("v") then .v else .Value end)}));
def with_entries(f): to_entries | map(f) | from_entries;
def tostream: path(def r: (.[]? | r), .; r) as $p
  | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(f): {x: null, e: false} as $init
  | foreach f as $i ($init;
      if .e then $init end
      | if $i | length == 2
        then .e = ($i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1])
        else .e = ($i[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(stream): . as $n | null
  | stream | if (.[0] | length) > $n then .[0] |= .[$n:] else empty end;
def delpaths($paths): delete_paths($paths);
def del(f): delete_paths([path(f)]);
def limit($n; f): if $n > 0 then label $out | foreach f as $x (0; . + 1; $x, if . >= $n then break $out else empty end)
  elif $n == 0 then empty else error("negative limit") end;
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def ascii: [.] | implode;
def date: todate;
def dateadd(u; n): . + n;
def datesub(u; n): . - n;
def ltrimstr($x): if isstring and ($x | isstring) and startswith($x) then .[($x | length):] end;
def rtrimstr($x): if isstring and ($x | isstring) and $x != "" and endswith($x) then .[:length - ($x | length)] end;
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def toarray: if isarray then . else [.] end;
def leaf_paths: paths(scalars);
def recurse_down: recurse;
def have_decnum: false;
def have_literal_numbers: true;
def halt_error($code): (if isstring then . else tojson + "\n" end | stderr_empty), halt($code);
def halt_error: halt_error(5);
def join($s): reduce .[] as $x (null;
  (if . == null then "" else . + $s end) + ($x | if . == null then "" elif isstring then . elif scalars then tojson
    else error("cannot join with \(type)") end)) // "";
def @csv: if isarray then map(
    if isstring then "\"" + (split("\"") | join("\"\"")) + "\""
    elif . == null then "" elif isarray or isobject then error("\(type) cannot be a field of csv") else tojson end) | join(",")
  else error("\(type) cannot be a row of csv") end;
def @tsv: if isarray then map(
    if isstring then split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n") | split("\r") | join("\\r")
    elif . == null then "" elif isarray or isobject then error("\(type) cannot be a field of tsv") else tojson end) | join("\t")
  else error("\(type) cannot be a row of tsv") end;
def @html: tostring | escape_html | split("&apos;") | join("&#39;");
def @base32: tostring | encode_base32;
def @base32d: tostring | decode_base32;
