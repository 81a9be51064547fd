# What is done with the Debian package on a machine of its own, as root.
# Beside it in /trial: two packages, NEWER the version of the second, and calls.py.

wait_for() { for _ in $(seq 150); do if eval "$1"; then return; fi; sleep 0.2; done
          echo "never came: $1"; return 1; }

never() { if "$@"; then echo "this should not be: $*"; return 1; fi; }

echo === it installs
dpkg --install /trial/lightweight_0.1.0_*.deb
systemd-analyze verify lightweight.service lightweight.socket
getent passwd lightweight
test "$(stat -c %a:%U /etc/lightweight)" = 755:root

echo === it serves, sandboxed, as its user
install -m 0600 /dev/stdin /etc/lightweight/openai.key <<< not-a-real-key
install -D /dev/stdin /etc/systemd/system/lightweight.service.d/override.conf <<END
[Service]
LoadCredential=openai:/etc/lightweight/openai.key
END
cat >> /etc/lightweight/lightweight.toml <<END
[providers.openai]
api_key = { credential = "openai" }
[providers.demo]
kind = "demo"
END
systemctl daemon-reload
systemctl enable --now lightweight
grep -om1 'lw-[0-9A-Za-z]*' /var/lib/lightweight/first-run.txt > /trial/key
auth="Authorization: Bearer $(cat /trial/key)"
curl -sS http://127.0.0.1:8080/v1/models -H "$auth" | grep -q '"gpt-'
curl -sS http://127.0.0.1:8080/v1/chat/completions -H "$auth"     -d '{"model": "demo", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}' |
    grep -q '^data: \[DONE\]'
pid=$(systemctl show --property MainPID --value lightweight)
test "$(stat -c %U "/proc/$pid")" = lightweight
for child in $(pgrep -P "$pid"); do grep '^CapEff:.*0000000000000000' "/proc/$child/status"; done
test "$(stat -c %a /var/lib/lightweight/)" = 700

echo === root runs its commands
lightweight accounts create acme --tier pro
lightweight keys create --account acme --name laptop --expires 90d --json
wait_for "lightweight usage --account default --json | grep -q '\"requests\": 1'"
lightweight reconcile

echo === it is upgraded under load
python3 /trial/calls.py /trial > /trial/calls 2>&1 & calls=$!
sleep 2
dpkg --install /trial/lightweight_${NEWER}_*.deb
wait_for "lightweight status | grep 'serving, version ${NEWER},'"
sleep 1
touch /trial/enough
wait $calls || { cat /trial/calls; journalctl -u lightweight | tail -50; exit 1; }
cat /trial/calls
systemctl restart lightweight
lightweight status | grep "Version  *${NEWER}"

echo === twistd gives up what root may
install -d -m 0700 -o nobody -g nogroup /srv/gateway
cat > /srv/gateway.toml <<END
listen = ["tcp:81:interface=127.0.0.1"]
state = "/srv/gateway"
discover = false
[providers.demo]
kind = "demo"
END
/opt/lightweight/bin/twistd --nodaemon --pidfile= --uid nobody --gid nogroup \
    lightweight -c /srv/gateway.toml & pid=$!
wait_for "curl -sS http://127.0.0.1:81/readyz | grep '\"ready\"'"
for process in $pid $(pgrep -P $pid); do
    grep -P '^Uid:(\t65534){4}$' "/proc/$process/status"
    grep -P '^Gid:(\t65534){4}$' "/proc/$process/status"
    grep '^CapEff:.*0000000000000000' "/proc/$process/status"
done
test "$(stat -c %U:%a /srv/gateway/lightweight.db)" = nobody:600
kill $pid && wait $pid

echo === what others may read is refused
chmod 644 /var/lib/lightweight/first-run.txt
never systemctl restart lightweight
journalctl -u lightweight | grep 'chmod go= /var/lib/lightweight/first-run.txt'
chmod go= /var/lib/lightweight/first-run.txt

echo === systemd holds the port
sed -i 's|^#listen = .*|listen = ["systemd:domain=INET:name=api"]|' /etc/lightweight/lightweight.toml
systemctl reset-failed lightweight
systemctl stop lightweight
systemctl enable --now lightweight.socket
curl -sS http://127.0.0.1:8080/readyz | grep -q '"ready"'

echo === nothing is left
dpkg --purge lightweight
for path in /opt/lightweight /etc/lightweight /var/lib/lightweight /usr/bin/lightweight \
    /etc/systemd/system/*.wants/lightweight*; do never test -e "$path"; done
never systemctl is-active lightweight.service lightweight.socket
