# A web server in front of a folder, for those who source this: Debian's nginx, unmodified and on loopback.
# Needs apt, once, and python3. $tools is where what was fetched is kept, whatever becomes of XDG_CACHE_HOME.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/aiopslab/interop

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# debian PACKAGE: its files, without installing it: that would start it
debian() {
    (mkdir -p "$tools/debian" && cd "$tools/debian" && apt-get download -qq "$1" >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get download -qq "$1" >/dev/null; } && dpkg-deb -x "$1"_*.deb . && rm "$1"_*.deb)
}

# serve_www WORK PORT: serves WORK/www in the background, as the process $!; WORK/access.log tells what was asked for
serve_www() {
    mkdir -p "$1/www" "$1/nginx"
    cat >"$1/nginx.conf" <<NGINX
daemon off;
pid $1/nginx/pid;
error_log $1/nginx.log;
events {}
http {
    access_log $1/access.log;
    client_body_temp_path $1/nginx/body; proxy_temp_path $1/nginx/proxy; fastcgi_temp_path $1/nginx/fastcgi;
    uwsgi_temp_path $1/nginx/uwsgi; scgi_temp_path $1/nginx/scgi;
    server { listen 127.0.0.1:$2; root $1/www; }
}
NGINX
    # It reads as nobody.
    chmod -R a+rX "$1"
    "$tools/debian/usr/sbin/nginx" -c "$1/nginx.conf" -e "$1/nginx.log" &
}

[ -x "$tools/debian/usr/sbin/nginx" ] || debian nginx
