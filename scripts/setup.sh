# Makes .venv and installs the project into it; sourced by the other scripts.
#
# setup_environment KIND…   leaves the project's folder in $root and its Python in $python
#
# Of the kinds, base is what a run needs (0.5 GB); page, models, fast and explore add an extra of
# pyproject.toml each; full adds these four, and so does any other extra, next to itself.
#
# A stamp in .venv holds the files that name the packages, so that a second call only compares files. An
# interrupted set-up starts again; of two at a time the second waits, and finds the environment there.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python

# need NAME DEBIAN FEDORA MACOS: print what is missing and the command that installs it
need() {
    echo "$1 is missing: install it with 'apt-get install $2' (Debian, Ubuntu), 'dnf install $3' (Fedora)" \
         "or '$4' (macOS)." >&2
    missing=1
}

have_one_of() {
    local name
    for name in "$@"; do command -v "$name" >/dev/null 2>&1 && return 0; done
    return 1
}

# Prints the first Python that is new enough, can make environments, and has a shared library.
find_python() {
    local name
    for name in "${MNV2_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
           "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

# A folder's name that a tool would take for something else is refused before anything is installed.
check_folder() {
    local LC_ALL=C
    case $root in
        *[\"\'\`\$\\:\;,\&\<\>\|\*\?\{\}]* | *'['* | *']'* | *[[:cntrl:]]*)
            echo "The project cannot be set up in '$root': move it to a folder whose path has none of" \
                 "\" ' \` \$ \\ : ; , & < > | * ? [ ] { } and no control characters." >&2
            return 1 ;;
    esac
}

check_tools() {
    missing=0
    have_one_of g++ clang++ c++ || need "A C++ compiler" g++ gcc-c++ "xcode-select --install"
    have_one_of make gmake || need "make" make make "xcode-select --install"
    have_one_of perl || need "perl" perl perl "brew install perl"
    return "$missing"
}

# installed KIND: whether .venv was made from the project's files as they are now
installed() {
    [ -x "$python" ] && cat "$root/pyproject.toml" "$root/requirements-data.txt" | cmp -s - "$root/.venv/mnv2-$1.stamp"
}

# The files are read before the packages are: what is changed in the meantime is installed by the next call.
prepare_stamp() {
    cat "$root/pyproject.toml" "$root/requirements-data.txt" > "$root/.venv/mnv2.stamp.new"
}

write_stamp() {
    cp "$root/.venv/mnv2.stamp.new" "$root/.venv/mnv2-$1.stamp.new"
    mv "$root/.venv/mnv2-$1.stamp.new" "$root/.venv/mnv2-$1.stamp"
}

# pip_install PYTHON ARGUMENTS: installs into the environment of that Python. Where packages are fetched from
# is the user's to say, with pip.conf and PIP_*; where they go, and which, is not: an empty value takes the
# place of pip.conf's. What pip says is kept in build/setup.log, and its end is shown where it fails.
pip_install() {
    local environment=$1 log=$root/build/setup.log
    shift
    mkdir -p "$root/build"
    if ! (unset PYTHONPATH PYTHONHOME
          export PIP_USER=0 PIP_TARGET='' PIP_PREFIX='' PIP_ROOT='' PIP_PYTHON='' PIP_DRY_RUN=0 PIP_NO_DEPS=0 \
                 PIP_REQUIRE_VIRTUALENV=0
          "$environment" -m pip install --progress-bar off --disable-pip-version-check "$@" >>"$log" 2>&1 </dev/null); then
        tail -n 15 "$log" >&2
        echo "All that pip said is in $log." >&2
        return 1
    fi
}

install_project() {
    local kind=$1 system_python=$2 extras="" also="" done_kind
    case $kind in
        base) ;;
        page | models | fast | explore) extras="[$kind]" ;;
        full) also="page models fast explore" extras="[models,explore,page,fast]" ;;
        *) also="page models fast explore full" extras="[models,explore,page,fast,$kind]" ;;
    esac
    echo "Setting up $root/.venv (once; a few minutes, needs the network) ..." >&2
    # The mark stays if this is interrupted; .venv is then made again.
    if [ ! -x "$python" ] || ! "$python" -c '' 2>/dev/null || [ -e "$root/.venv/mnv2-incomplete" ]; then
        rm -rf "$root/.venv"
        mkdir "$root/.venv"
        touch "$root/.venv/mnv2-incomplete"
        "$system_python" -m venv "$root/.venv" || return 1
    fi
    touch "$root/.venv/mnv2-incomplete"
    prepare_stamp
    : > "$root/build/setup.log"
    # From inside the folder: its name is then no part of a requirement.
    (cd "$root" && pip_install "$python" --editable ".$extras") || return 1
    pip_install "$python" --no-deps --requirement "$root/requirements-data.txt" || return 1
    for done_kind in base $also "$kind"; do write_stamp "$done_kind"; done
    rm -f "$root/.venv/mnv2.stamp.new"
    rm -f "$root/.venv/mnv2-incomplete"
}

setup_environment() {
    local kind
    check_folder || exit 2
    check_tools || exit 2
    for kind in "$@"; do set_up_kind "$kind"; done
}

set_up_kind() {
    local kind=$1 system_python
    if installed "$kind"; then return 0; fi
    if ! system_python=$(find_python); then
        need "Python 3.11 or newer with venv" "python3 python3-venv" python3 "brew install python"
        exit 2
    fi
    mkdir -p "$root/build"
    # The lock belongs to the open file, which this shell keeps until it closes it.
    exec 9>"$root/build/setup.lock"
    "$system_python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
    if ! installed "$kind" && ! install_project "$kind" "$system_python"; then
        echo "The set-up of $root/.venv failed; the next call starts it again." >&2
        exit 2
    fi
    exec 9>&-
}
