# packaging/nginx.conf in front of serve.sh, as another machine would see it
load ../lib

WS=$TOOLS/ws
NAME=bnc.example.org

setup() {
	lib_setup
	command -v nginx >/dev/null || PATH=$PATH:/usr/sbin
	command -v nginx >/dev/null || skip "nginx is not installed"
	printf '%s\n' '#!/bin/bash' 'while sleep 0.2; do' \
		'echo "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"1\",\"ts\":1,\"pair\":\"SOLUSDT\",\"market\":\"usdm\",\"source\":\"book\"}"' 'done' >feed
	chmod +x feed
	export BNC_FEED=$SCRATCH/feed BNC_ALLOW_ORIGIN=https://$NAME BNC_PORT
	BNC_PORT=$(free_port)
	https=$(free_port)
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$NAME" \
		-addext "subjectAltName=DNS:$NAME" -keyout bnc.key -out bnc.crt 2>/dev/null
	echo "alice:$(openssl passwd -apr1 wonder)" >bnc.htpasswd
	# the file as it is, but for where it listens and where its files are
	sed "s|/etc/nginx|$SCRATCH|; s|listen 443|listen 127.0.0.1:$https|; s|127.0.0.1:8000|127.0.0.1:$BNC_PORT|" \
		"$ROOT/packaging/nginx.conf" >site.conf
	cat >nginx.conf <<-E
		daemon off; pid $SCRATCH/nginx.pid; error_log $SCRATCH/nginx.log; worker_processes 1; user root;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $SCRATCH/t1; proxy_temp_path $SCRATCH/t2; fastcgi_temp_path $SCRATCH/t3;
			uwsgi_temp_path $SCRATCH/t4; scgi_temp_path $SCRATCH/t5;
			include $SCRATCH/site.conf;
		}
	E
	start serve bash -c 'exec "$@" 9>ready' bash "$ROOT/scripts/serve.sh" --ready-fd 9
	wait_for 10 test -s ready
	start nginx nginx -p "$SCRATCH" -c "$SCRATCH/nginx.conf" -e "$SCRATCH/nginx.log"
	wait_for 5 test -s nginx.pid
}

get() { # PATH OPTION...
	curl --noproxy '*' -s -m 5 --cacert bnc.crt --resolve "$NAME:$https:127.0.0.1" -w '%{http_code}' "${@:2}" "https://$NAME:$https$1"
}

client() {
	"$WS" "wss://$NAME:$https/ws" --address 127.0.0.1 --ca bnc.crt --seconds 5 "$@"
}

PASSWORD=(--header "Authorization: Basic $(printf alice:wonder | base64)")

@test "page, health and stream are there for who has the password, and for nobody else" {
	[[ $(get / -o /dev/null) == 401 && $(get /health -o /dev/null) == 401 ]]
	[[ $(get / -u alice:wonder -o /dev/null) == 200 ]]
	wait_for 5 eval '[[ $(get /health -u alice:wonder) == $'"'ok\n200'"' ]]'
	get /health.json -u alice:wonder -o health.json
	jq -e '.status == "ok"' health.json
	client "${PASSWORD[@]}" --until price_update
	client "${PASSWORD[@]}" --origin "https://$NAME" --until price_update
	run client
	[[ $status == 2 && $output == *401* ]]
	run client --header "Authorization: Basic $(printf alice:guess | base64)"
	[[ $status == 2 ]]
}

@test "pages of other origins, and other methods, are refused behind it too" {
	run client "${PASSWORD[@]}" --origin https://evil.example
	[[ ${#lines[@]} == 1 && $output == *'"end"'*origin* ]]
	[[ $(get / -u alice:wonder -X POST -d x -o /dev/null) == 403 ]]
	[[ $(get / -u alice:wonder -X CONNECT -o /dev/null) != 200 ]]
	# the password stays with nginx
	start long "$WS" "wss://$NAME:$https/ws" --address 127.0.0.1 --ca bnc.crt "${PASSWORD[@]}" --seconds 30
	wait_for 5 grep -q price_update long.out
	local pid
	for pid in $(awk '/bnc-tap/ { print $1 }' <<<"$(left_over)"); do
		run ! grep -a -i authorization "/proc/$pid/environ"
	done
}
