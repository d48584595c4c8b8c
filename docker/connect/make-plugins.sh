#!/bin/sh
# Makes the plugins of Kafka Connect. Debezium and the Avro converter come by Maven, as stack/versions.json pins
# them: a file that is not the one named there ends the build, a jar that is not named there is left out. Lethe's
# own plugin is compiled against Kafka's libraries and Debezium's.
# usage: make-plugins.sh VERSIONS_JSON JAVA_SOURCES KAFKA_LIBRARIES TARGET
set -eu
versions=$(realpath "$1")
sources=$(realpath "$2")
libraries=$(realpath "$3")
target=$(realpath -m "$4")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The lines of one part of versions.json, and from them a value by its key.
part() { sed -n "/^  \"$1\": {/,/^  }/p" "$versions"; }
value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p"; }
maven() { mvn -B -q "-Dmaven.repo.local=$work/m2" "$@"; }
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

artifact=$(part debezium | value artifact)
maven "$plugin:get" "-Dartifact=$artifact" -Dtransitive=false
archive=$(find "$work/m2" -name 'debezium-connector-postgres-*-plugin.tar.gz')
echo "$(part debezium | value sha256)  $archive" | sha256sum -c -
mkdir -p "$target/debezium-connector-postgres"
tar -xzf "$archive" -C "$target/debezium-connector-postgres" --strip-components=1 --no-same-owner

coordinates=$(part avroConverter | tr -d ' \n' | sed -n 's/.*"dependencies":\["\([^"]*\)"\].*/\1/p')
[ -n "$coordinates" ] || { echo 'versions.json pins no Avro converter as this script reads it' >&2; exit 1; }
group=${coordinates%%:*} rest=${coordinates#*:}
cat > "$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>lethe</groupId><artifactId>avro-converter</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>$group</groupId><artifactId>${rest%%:*}</artifactId><version>${rest#*:}</version>
  </dependency></dependencies>
</project>
POM
converter=$target/apicurio-avro-converter
mkdir -p "$converter" "$work/jars"
maven -f "$work/pom.xml" "$plugin:copy-dependencies" "-DoutputDirectory=$work/jars"
part avroConverter | sed -n 's/^ *"\([^"]*\.jar\)": "\([0-9a-f]*\)".*/\2  \1/p' > "$work/sums"
[ -s "$work/sums" ] || { echo 'versions.json pins no jars as this script reads it' >&2; exit 1; }
(cd "$work/jars" && sha256sum -c --quiet "$work/sums")
while read -r _ jar; do mv "$work/jars/$jar" "$converter/"; done < "$work/sums"

# Connect finds plugins by their service files alone (plugin.discovery=service_load); the converter has none.
mkdir -p "$work/services/META-INF/services"
echo io.apicurio.registry.utils.converter.AvroConverter \
  > "$work/services/META-INF/services/org.apache.kafka.connect.storage.Converter"
jar --create --file "$converter/converter-services.jar" -C "$work/services" META-INF

# Beside Debezium's own jars: a snapshotter is looked for by the class loader of the connector.
services=$work/lethe/META-INF/services
mkdir -p "$services"
echo io.lethe.connect.ScrubDefaults > "$services/org.apache.kafka.connect.transforms.Transformation"
echo io.lethe.connect.ResumedSnapshot > "$services/io.debezium.spi.snapshot.Snapshotter"
connector=$target/debezium-connector-postgres
find "$sources" -name '*.java' -exec javac --release 17 -d "$work/lethe" -cp "$libraries/*:$connector/*" {} +
jar --create --file "$connector/lethe-connect.jar" -C "$work/lethe" .
