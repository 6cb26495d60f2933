//! Templates and what `text/template` of Go makes of them.

use super::text;

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn constructs_come_to_what_go_makes_of_them() {
    for (template, expected) in [
        ("a{{ \"b\" }}c", "abc"),
        ("{{ env \"X\" | default \"y\" }}", "x"),
        ("{{ env \"GONE\" | default \"y\" }}", "y"),
        ("{{ $v := env \"X\" | default \"o\" }}{{ $v }}/{{ $v }}", "x/x"),
        ("{{ printf \"%s/brain\" (env \"X\") }}", "x/brain"),
        ("{{ eq (env \"TRUE\") \"true\" }}", "true"),
        ("{{ if and (eq (env \"X\") \"x\") (eq \"c\" \"c\") }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if not (env \"GONE\" | default (env \"X\")) }}unset{{ else }}set{{ end }}", "set"),
        ("a  {{- \" b \" -}}  c", "a b c"),
        ("a {{- /* comment */ -}} c", "ac"),
        ("a {{/* comment */}} c", "a  c"),
        ("a\n{{- 3 }}\n{{ 4 -}}\n b", "a3\n4b"),
        ("{{- \"x\" }}", "x"),
        ("{{ -3 }}{{- 3 -}} 4", "-334"),
        ("{{ `raw \"string\" \\n` }}", "raw \"string\" \\n"),
        ("{{ \"esc\\t\\\"q\\\"\\\\ \\u00e9 \\x41 \\101\" }}", "esc\t\"q\"\\ é A A"),
        ("{{ 'a' }} {{ '\\n' }} {{ '\\'' }} {{ 'é' }}", "97 10 39 233"),
        (
            "{{ 1 }} {{ -1 }} {{ +1 }} {{ 0x1F }} {{ 0o17 }} {{ 017 }} {{ 0b101 }} {{ 1_000 }} {{ 1.5 }} {{ 1e3 }} {{ .5 }} {{ 1e100 }} {{ 1e-7 }} {{ 123456.75 }} {{ 1234567.0 }}",
            "1 -1 1 31 15 15 5 1000 1.5 1000 0.5 1e+100 1e-07 123456.75 1.234567e+06",
        ),
        ("{{ true }} {{ false }}", "true false"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ("{{ $x := \"a\" }}{{ range 3 }}{{ $x = print $x . }}{{ end }}{{ $x }}", "a012"),
        ("{{ range $i := 3 }}<{{ $i }}>{{ end }}", "<0><1><2>"),
        (
            "{{ range 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}",
            "02",
        ),
        ("{{ range 0 }}x{{ else }}none{{ end }}", "none"),
        ("{{ with \"v\" }}[{{ . }}]{{ end }}{{ with \"\" }}x{{ else }}empty{{ end }}", "[v]empty"),
        ("{{ with \"\" }}a{{ else with \"b\" }}{{ . }}{{ end }}", "b"),
        ("{{ with $y := \"v\" }}{{ $y }}{{ . }}{{ end }}", "vv"),
        ("{{ if \"\" }}a{{ else if 0 }}b{{ else if 0.0 }}c{{ else if false }}d{{ else }}e{{ end }}", "e"),
        ("{{ if 1 }}a{{ end }}{{ if \"x\" }}b{{ end }}{{ if 0.1 }}c{{ end }}", "abc"),
        ("{{ if $a := \"\" }}{{ else if $b := \"b\" }}{{ $a }}{{ $b }}{{ end }}", "b"),
        (
            "{{ and 1 2 }} {{ and 0 2 }} {{ and \"\" 2 }} {{ or 1 2 }} {{ or 0 2 }} {{ or 0 \"\" }} {{ and 1 }}",
            "2 0  1 2  1",
        ),
        ("{{ or \"a\" (index \"\" 9) }} {{ and \"\" (index \"\" 9) }}", "a "),
        ("{{ \"b\" | and \"a\" }} {{ \"b\" | or \"\" }}", "b b"),
        ("{{ not 1 }} {{ not \"\" }} {{ not (not true) }}", "false true true"),
        (
            "{{ eq 1 1 }} {{ eq 1 2 }} {{ eq 3 1 2 3 }} {{ eq \"a\" \"b\" \"a\" }} {{ eq true true }} {{ eq 1.5 1.5 }} {{ ne \"a\" \"b\" }} {{ ne 1 1 }}",
            "true false true true true true true false",
        ),
        (
            "{{ lt 1 2 }} {{ le 2 2 }} {{ gt \"b\" \"a\" }} {{ ge 1.5 2.5 }} {{ lt \"a\" \"b\" }}",
            "true true true false true",
        ),
        ("{{ \"a\" | eq \"a\" }} {{ \"a\" | ne \"b\" }}", "true true"),
        ("{{ print \"a\" \"b\" 1 2 \"c\" 3 true }}", "ab1 2c3 true"),
        ("{{ println \"a\" 1 }}|", "a 1\n|"),
        ("{{ print }}|{{ println }}|", "|\n|"),
        ("{{ len \"héllo\" }} {{ len \"\" }}", "6 0"),
        (
            "{{ index \"abc\" 1 }} {{ slice \"abcdef\" 1 3 }} {{ slice \"abcdef\" 2 }} {{ slice \"abc\" }} {{ index \"abc\" }}",
            "98 bc cdef abc abc",
        ),
        ("{{ html \"<a href='x'>\\\"&\" }} {{ html \"a\" 1 }}", "&lt;a href=&#39;x&#39;&gt;&#34;&amp; a1"),
        (
            "{{ js \"it's \\\"<x>\\\" a=b&\\\\\" }} {{ js \"tab\\tnl\\n\\u2028é\" }}",
            "it\\'s \\\"\\u003Cx\\u003E\\\" a\\u003Db\\u0026\\\\ tab\\u0009nl\\u000A\\u2028é",
        ),
        ("{{ urlquery \"a b&c=d/é~-_.\" }} {{ urlquery \"a\" \"b\" }}", "a+b%26c%3Dd%2F%C3%A9~-_. ab"),
        ("{{ define \"tt\" }}<{{ . }}>{{ end }}{{ template \"tt\" \"v\" }}{{ template \"tt\" }}", "<v><<no value>>"),
        ("{{ block \"b\" \"x\" }}({{ . }}){{ end }}{{ template \"b\" \"y\" }}", "(x)(y)"),
        (
            "{{ define \"r\" }}{{ if . }}{{ . }}{{ template \"r\" (slice . 1) }}{{ end }}{{ end }}{{ template \"r\" \"abc\" }}",
            "abcbcc",
        ),
        ("{{ template \"late\" 1 }}{{ define \"late\" }}late{{ . }}{{ end }}", "late1"),
        ("{{ define \"v\" }}{{ $ }}{{ end }}{{ $ := 1 }}{{ template \"v\" 2 }}", "2"),
        ("{{ (printf \"%s\" \"a\") }}{{ (\"b\") }}{{ (((\"c\"))) }}", "abc"),
        ("{{ \"a\" | printf \"%s-%s\" \"b\" | printf \"%s!\" }}", "b-a!"),
        ("{{ printf \"%s %v %q\" \"a\" \"b\" \"c\\\"d\\n\" }}", "a b \"c\\\"d\\n\""),
        (
            "{{ printf \"%d %v %5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%#o|%O|%b|%c|%q|%U|%#U\" 1 2 3 4 5 6 7 255 255 255 8 8 8 5 65 65 65 65 }}",
            "1 2     3|4    |00005|+6| 7|ff|FF|0xff|10|010|0o10|101|A|'A'|U+0041|U+0041 'A'",
        ),
        ("{{ printf \"%d %d %05d %+d\" -1 -42 -42 42 }}", "-1 -42 -0042 +42"),
        ("{{ printf \"%.3d|%8.3d|%-8.3d|%08.3d|%.0d\" 5 5 5 5 0 }}", "005|     005|005     |     005|"),
        ("{{ printf \"%t %v %5t|%-7t|\" true false true false }}", "true false  true|false  |"),
        (
            "{{ printf \"%%|%5s|%-5s|%05s|%.2s|%5.1s|%x|%X|% x|%#x|%# x\" \"ab\" \"ab\" \"ab\" \"abc\" \"xyz\" \"hi\" \"hi\" \"hi\" \"hi\" \"hi\" }}",
            "%|   ab|ab   |000ab|ab|    x|6869|6869|68 69|0x6869|0x68 0x69",
        ),
        ("{{ printf \"%q %#q %+q %q %#v\" \"é\" \"a\" \"é\" 'x' \"v\" }}", "\"é\" `a` \"\\u00e9\" 'x' \"v\""),
        (
            "{{ printf \"%f %.2f %8.3f|%-8.1f|%08.2f|%+.1f|%e|%.2e|%g|%G|%.3g|%.10g|%v\" 1.5 1.005 3.14159 2.5 -3.14159 1.0 1234.5 1234.5 0.00001 1e-10 1234.5 1234.5 100000.0 }}",
            "1.500000 1.00    3.142|2.5     |-0003.14|+1.0|1.234500e+03|1.23e+03|1e-05|1E-10|1.23e+03|1234.5|100000",
        ),
        (
            "{{ printf \"%!\" }} {{ printf \"%\" }} {{ printf \"%z\" 1 }} {{ printf \"%d\" \"x\" }} {{ printf \"%s\" 5 }} {{ printf \"%t\" 1 }} {{ printf \"%5d\" \"x\" }} {{ printf \"%f\" 1 }} {{ printf \"%d\" 1.5 }} {{ printf \"%d\" true }}",
            "%!!(MISSING) %!(NOVERB) %!z(int=1) %!d(string=x) %!s(int=5) %!t(int=1) %!d(string=    x) %!f(int=1) %!d(float64=1.5) %!d(bool=true)",
        ),
        (
            "{{ printf \"%d\" }} {{ printf \"%s %s\" \"a\" }} {{ printf \"a\" 1 \"b\" }} {{ printf \"%s\" \"a\" true 2.5 }}",
            "%!d(MISSING) a %!s(MISSING) a%!(EXTRA int=1, string=b) a%!(EXTRA bool=true, float64=2.5)",
        ),
        (
            "{{ printf \"%v %d %s %T %T %T %T %T\" nil nil nil nil 1 \"s\" true 1.5 }}",
            "<nil> %!d(<nil>) %!s(<nil>) <nil> int string bool float64",
        ),
        (
            "{{ printf \"%[2]s %[1]s\" \"a\" \"b\" }} {{ printf \"%[3]d\" 1 }} {{ printf \"%[1]d %d\" 1 2 }} {{ printf \"%*d|%-*d|%.*f\" 5 1 5 2 2 3.14159 }}",
            "b a %!d(BADINDEX) 1 2     1|2    |3.14",
        ),
        (
            "{{ printf \"%s\" \"a\\x00b\" | printf \"%q\" }} {{ printf \"%q\" \"\\u200b\\u00a0\\U0001F600\\u0301\" }}",
            "\"a\\x00b\" \"\\u200b\\u00a0😀́\"",
        ),
        ("{{ print 1.0 }} {{ print 2.50 }} {{ print 1e20 }} {{ print 1e21 }} {{ print -0.0 }}", "1 2.5 1e+20 1e+21 -0"),
        ("{{ print nil }} {{ print 1 nil }} {{ print \"a\" nil \"b\" }}", "<nil> 1 <nil> a<nil>b"),
        ("{{ true | printf \"%v\" }}{{ 3 | print }}", "true3"),
        ("{{\"a\"}}{{\"b\" -}} {{- \"c\"}}", "abc"),
        ("{{\n  printf\n  \"%s\"\n  \"x\"\n}}", "x"),
        ("{{ $a := 1 }}{{ $b := $a }}{{ $a = 2 }}{{ $a }}{{ $b }}", "21"),
        ("{{ $x := \"\" }}{{ if eq (env \"X\") \"x\" -}} {{ $x = \"in\" }} {{- end -}} {{ $x }}", "in"),
        ("# {{ env \"X\" }} in a comment\nK: {{ env \"X\" }}", "# x in a comment\nK: x"),
        ("{ {} } }} {", "{ {} } }} {"),
        ("{{ eq 1 1 1 }} {{ eq 1 2 1 }}", "true true"),
        ("{{ len (printf \"%s\" \"abc\") }} {{ printf \"%v\" (eq 1 1) }}", "3 true"),
        ("{{ range $i := 2 }}{{ range $j := 2 }}{{ $i }}{{ $j }} {{ end }}{{ end }}", "00 01 10 11 "),
        ("{{ range 3 }}{{ with . }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}{{ end }}", "1"),
        ("{{ default \"a\" \"\" }} {{ default \"a\" \"b\" }}", "a b"),
    ] {
        assert_eq!(text(template), expected, "{template}");
    }
}
