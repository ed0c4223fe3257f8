"""Certificates for the liars of tests/lies, made by openssl(1) when they are asked for: make(DIR) once, then pair(NAME)
and path(FILE)."""
import os
import subprocess
import threading

state = {"dir": None}
lock = threading.Lock()

ADDRESS = "subjectAltName=IP:127.0.0.1"
LEAF = f"{ADDRESS}\nbasicConstraints=critical,CA:FALSE"
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"

CERTIFICATES = (
    # name, issuer, days, extensions, what is shown behind it
    ("middle", "ca", "30", AUTHORITY, ()),
    ("old-middle", "ca", "-1", AUTHORITY, ()),
    ("narrow", "ca", "30", AUTHORITY + "\nnameConstraints=critical,permitted;DNS:example.org", ()),
    ("short", "ca", "30", AUTHORITY.replace("CA:TRUE", "CA:TRUE,pathlen:0"), ()),
    ("below", "short", "30", AUTHORITY, ()),
    ("good", "ca", "30", LEAF, ()),
    ("in-a-room", "ca", "30", LEAF.replace("IP:", "IP:10.9.0.1,IP:"), ()),
    ("chain", "middle", "30", LEAF, ("middle",)),
    ("chain-broken", "middle", "30", LEAF, ()),
    ("chain-other", "middle", "30", LEAF, ("narrow",)),
    ("chain-expired", "old-middle", "30", LEAF, ("old-middle",)),
    ("by-no-authority", "good", "30", LEAF, ("good",)),
    ("too-deep", "below", "30", LEAF, ("below", "short")),
    ("out-of-bounds", "narrow", "30", LEAF, ("narrow",)),
    ("for-clients", "ca", "30", LEAF + "\nextendedKeyUsage=clientAuth", ()),
    ("other-address", "ca", "30", LEAF.replace("127.0.0.1", "127.0.0.2"), ()),
    ("by-common-name", "ca", "30", "basicConstraints=critical,CA:FALSE", ()),
    ("address-as-name", "ca", "30", LEAF.replace("IP:", "DNS:"), ()),
    ("any-name", "ca", "30", LEAF.replace("IP:127.0.0.1", "DNS:*"), ()),
    ("critical", "ca", "30", LEAF + "\n1.2.3.4.5=critical,DER:0500", ()),
    ("revoked", "ca", "30", LEAF, ()),
    ("revoked-middle", "ca", "30", AUTHORITY, ()),
    ("chain-revoked", "revoked-middle", "30", LEAF, ("revoked-middle",)),
    ("weak", "ca", "30", LEAF, ()),
)


def path(name):
    return os.path.join(state["dir"], name)


def pair(name):
    """files of the chain and of the key"""
    with lock:
        if name.endswith("+crl") and not os.path.exists(path("ca-and-crl.pem")):
            revoke()
        name = name.removesuffix("+crl")
        sign(name)
    return path(name + ".chain"), path(name + ".key")


def openssl(*arguments, **more):
    done = subprocess.run(["openssl", *arguments], cwd=state["dir"], capture_output=True, check=False, **more)
    if done.returncode:
        raise OSError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


def write(name, text):
    with open(path(name), "w", encoding="ascii") as f:
        f.write(text)


def read(name):
    with open(path(name), encoding="ascii") as f:
        return f.read()


CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make(folder):
    state["dir"] = folder
    openssl("req", "-x509", *CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority", "-days", "30")


def sign(name):
    """that certificate, and those above it, where they are not there yet"""
    if os.path.exists(path(name + ".pem")):
        return
    _, issuer, days, extensions, behind = next(c for c in CERTIFICATES if c[0] == name)
    for above in (issuer, *behind):
        sign(above)
    key = ("-newkey", "rsa:1024", "-nodes") if name == "weak" else CURVE
    openssl("req", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj",
            "/CN=127.0.0.1" if "CA:TRUE" not in extensions else "/CN=" + name)
    write("extensions", extensions + "\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    openssl("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-days", days,
            "-extfile", "extensions", "-out", name + ".pem")
    write(name + ".chain", "".join(read(n + ".pem") for n in (name, *behind)))


def revoke():
    """ca-and-crl.pem: the authority, and its list of what it has revoked"""
    write("ca.conf", "[ca]\ndefault_ca=a\n[a]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=30\n")
    write("index", "")
    for name in ("revoked", "revoked-middle"):
        sign(name)
        openssl("ca", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-revoke", name + ".pem")
    # the one between has an empty list
    for name in ("ca", "revoked-middle"):
        openssl("ca", "-config", "ca.conf", "-cert", name + ".pem", "-keyfile", name + ".key", "-gencrl", "-out",
                name + ".crl")
        write("index", "")
    write("ca-and-crl.pem", read("ca.pem") + read("ca.crl") + read("revoked-middle.crl"))
