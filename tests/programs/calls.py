"""Speaks to a run's Robot API endpoint as no library would: one line for each attempt, "name: status"."""
import json
import os
import socket
import sys
import threading

CALLER = os.environ["CALLER"]
PORT = int(os.environ["GOPHER_HTTP_POST"].rsplit(":", 1)[1])


def request(body, caller=CALLER, path="/json", length=None):
    head = f"POST {path} HTTP/1.1\r\nHost: robot\r\n"
    if caller is not None:
        head += f"X-Caller-ID: {caller}\r\n"
    return (head + f"Content-Length: {len(body) if length is None else length}\r\n\r\n").encode() + body


def speak(data, port=PORT, half_close=False):
    """The status of the answer, "closed" if there is none, and its body."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.settimeout(90)
            client.sendall(data)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := client.recv(65536):
                answer += chunk
    except PermissionError:
        return "forbidden", b""
    except OSError as error:
        return f"closed ({error.__class__.__name__})" if not isinstance(error, TimeoutError) else "no answer", b""
    if not answer:
        return "closed", b""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ")[1].decode(), body


def call(function, **args):
    return json.dumps({"FuncName": function, "Format": "", "FuncArgs": args}).encode()


def say(name, result):
    print(f"{name}: {result[0]}", flush=True)


def hostile():
    good = call("CheckAdmin")
    say("good", speak(request(good)))
    say("cut JSON", speak(request(good[:-3])))
    say("cut body", speak(request(good, length=len(good) + 10), half_close=True))
    say("cut head", speak(b"POST /json HTTP/1.1\r\nX-Call", half_close=True))
    say("no JSON", speak(request(b"\xff\xfe\x00 not JSON")))
    say("a list", speak(request(b"[1, 2]")))
    say("deep", speak(request(b"[" * 1_000_000)))
    say("unknown function", speak(request(call("DropAllTables"))))
    say("unknown function of a megabyte", speak(request(call("x" * 1_000_000))))
    say("wrong arguments", speak(request(call("SendUserMessage", User=[1], Message={}))))
    say("no arguments", speak(request(b'{"FuncName":"SendUserMessage"}')))
    say("no caller", speak(request(good, caller=None)))
    say("empty caller", speak(request(good, caller="")))
    say("guessed caller", speak(request(good, caller="A" * len(CALLER))))
    say("other path", speak(request(good, path="/admin")))
    say("huge", speak(request(b"x" * (17 << 20))))
    say("huge head", speak(b"POST /json HTTP/1.1\r\nX-Filler: " + b"x" * 100_000))
    say("chunked", speak(b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
    long = call("SendUserMessage", User="alice", Message="x" * (15 << 20))
    say("long message", speak(request(long)))
    wide = b'{"FuncName":"UpdateDatum","FuncArgs":{"Key":"k","Token":"t","Datum":[' + b"1e9," * 3_900_000 + b"1]}}"
    say("longer than it looks", speak(request(wide)))
    say("good again", speak(request(good)))


def many():
    """Twenty threads, each with answers of its own."""
    wrong = []

    def one(number):
        for turn in range(10):
            value = f"value-{number}-{turn}"
            speak(request(call("Remember", Key=f"http-{number}", Value=value)))
            status, body = speak(request(call("Recall", Key=f"http-{number}")))
            if status != "200" or json.loads(body)["StrVal"] != value:
                wrong.append((number, turn, status, body))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"threads: {wrong or 'each its own'}")


def stranger(port, caller):
    good = call("CheckAdmin")
    say("their port, their id", speak(request(good, caller=caller), port=port))
    say("their port, own id", speak(request(good), port=port))
    say("own port, their id", speak(request(good, caller=caller)))
    say("own port, own id", speak(request(good)))


def sockets(name):
    """Every socket that this network namespace tells of by name."""
    with open("/proc/net/unix", encoding="utf-8") as table:
        paths = {row.split(" ")[-1].strip() for row in table}
    for path in sorted(p for p in paths if "gopher" in p or "admin" in p or "driver" in p):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect("\0" + path[1:] if path.startswith("@") else path)
                print(f"{path}: CONNECTED")
            except OSError as error:
                print(f"{path}: {error.__class__.__name__}")
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect("\0" + name)
            print("abstract: CONNECTED")
        except OSError as error:
            print(f"abstract: {error.__class__.__name__}")


{"hostile": hostile, "many": many, "stranger": lambda: stranger(int(sys.argv[2]), sys.argv[3]),
 "sockets": lambda: sockets(sys.argv[2])}[sys.argv[1]]()
