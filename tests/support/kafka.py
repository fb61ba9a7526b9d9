"""Apache Kafka itself (KRaft), from Maven's jars: single nodes and clusters that can be killed and paused."""

import base64
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import Self

from tests.support.cache import cached, temporary_folder
from tests.support.need import need
from tests.support.processes import Process, free_ports, run

SOURCES = Path(__file__).parent / "kafka-dist"
INPUTS = [SOURCES / "pom.xml"]
CLUSTER_ID = "bWlsZXBvc3QtdGVzdHMtMQ"  # any 16 bytes, base64url
REMEDY = "install a Java 17 runtime and Maven"


class Distribution:
    """Kafka's jars with what every node shares: a class archive and the contents of a formatted disk."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.java = need("Java", shutil.which("java"), REMEDY)

    def command(self, main: str, *arguments: str | Path, jvm: tuple[str, ...] = ()) -> list[str | Path]:
        """The command line that runs a class of Kafka's."""
        # The archive is valid only for a class path that is spelled the same each time.
        jars = ":".join(str(jar) for jar in sorted((self.home / "libs").glob("*.jar")))
        archive = self.home / "classes.jsa"
        share = (f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off") if archive.exists() else ()
        quick = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xss512k", "-XX:MaxDirectMemorySize=256m")
        logging = f"-Dlog4j2.configurationFile={SOURCES / 'log4j2.properties'}"
        quiet = ("-Djava.awt.headless=true", "-Dlog4j2.disableJmx=true")
        return [self.java, *quick, *quiet, logging, *share, *jvm, "-cp", jars, main, *arguments]

    def build(self) -> None:
        """Fetch the jars, format one disk, and run a node once to write the class archive."""
        maven = need("Maven", shutil.which("mvn"), REMEDY)
        pom, libs = SOURCES / "pom.xml", self.home / "libs"
        run(maven, "-q", "-B", "-f", pom, f"-Dlibs={libs}", "package", within=600)
        folder = temporary_folder()
        try:
            sample = Node(self, folder, 1, *free_ports(2))
            sample.configure([sample])
            run(*self.command("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", sample.config))
            shutil.copy(sample.data / "bootstrap.checkpoint", self.home)
            sample.jvm = (f"-XX:ArchiveClassesAtExit={self.home / 'classes.jsa'}", "-Xlog:cds*=off")
            with sample:
                sample.start()
                sample.stop()
        finally:
            shutil.rmtree(folder)


def distribution() -> Distribution:
    """Kafka, ready to start; built on first use, which downloads 44 MB and takes half a minute."""
    need("Java", shutil.which("java"), REMEDY)
    return Distribution(cached("Kafka", INPUTS, lambda home: Distribution(home).build()))


class Node:
    """One broker and controller. Its disk outlives stop and kill, so that `start` brings it back."""

    def __init__(self, kafka: Distribution, folder: Path, node_id: int, port: int, controller: int) -> None:
        self.node_id = node_id
        self.address = f"127.0.0.1:{port}"
        self.controller = f"127.0.0.1:{controller}"
        self.config = folder / "server.properties"
        self.data = folder / "data"
        self.jvm: tuple[str, ...] = ("-Xmx512m",)
        self._kafka = kafka
        self._folder = folder
        self._process: Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.__exit__()

    @property
    def process(self) -> Process:
        """The running node."""
        assert self._process is not None, "the node was never started"
        return self._process

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.running

    def configure(self, cluster: list["Node"]) -> None:
        """Write the node's settings as a member of `cluster`."""
        self._folder.mkdir(exist_ok=True)
        text = Template((SOURCES / "server.properties").read_text()).substitute(
            node_id=self.node_id,
            voters=",".join(f"{node.node_id}@{node.controller}" for node in cluster),
            port=self.address.rpartition(":")[2],
            controller_port=self.controller.rpartition(":")[2],
            data=self.data,
            replicas=min(3, len(cluster)),
            in_sync=2 if len(cluster) > 2 else 1,
        )
        self.config.write_text(text)

    def format(self) -> None:
        """Give the node an empty disk, as Kafka's own tool does but without a JVM's start."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        shutil.copy(self._kafka.home / "bootstrap.checkpoint", self.data)
        disk = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        properties = f"version=1\ncluster.id={CLUSTER_ID}\nnode.id={self.node_id}\ndirectory.id={disk}\n"
        (self.data / "meta.properties").write_text(properties)

    def launch(self) -> None:
        """Start without waiting."""
        self._process = Process(
            *self._kafka.command("kafka.Kafka", self.config, jvm=self.jvm), log=self._folder / "node.log"
        )

    def ready(self) -> None:
        """Wait until it takes part in the cluster: 2 to 4 seconds, some more after a kill."""
        self.process.wait_for("Kafka Server started", within=60)

    def start(self) -> None:
        """Start, again or for the first time, and wait until it is ready."""
        self.launch()
        self.ready()

    def stop(self) -> None:
        """A clean shutdown."""
        self.process.stop(within=60)

    def kill(self) -> None:
        """SIGKILL: what was acknowledged must survive it."""
        self.process.kill()

    def pause(self) -> None:
        """SIGSTOP: its clients see silence, not an error."""
        self.process.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.process.resume()


class Kafka:
    """A running cluster of one or more nodes; leaving the context ends it and removes its disks."""

    def __init__(self, nodes: int = 1) -> None:
        kafka = distribution()
        self._folder = temporary_folder()
        ports = free_ports(2 * nodes)
        self.nodes = [
            Node(kafka, self._folder / f"node-{number}", number, *ports[2 * number - 2 : 2 * number])
            for number in range(1, nodes + 1)
        ]
        self.bootstrap = ",".join(node.address for node in self.nodes)

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                node.configure(self.nodes)
                node.format()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.__exit__()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the nodes that are not running, all at once, and wait for them."""
        for node in self.nodes:
            if not node.running:
                node.launch()
        for node in self.nodes:
            node.ready()

    def stop(self) -> None:
        """Stop every node cleanly, all at once (a controller waits for a quorum to say goodbye to)."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(Node.stop, self.nodes))

    def kill(self) -> None:
        """SIGKILL every node."""
        for node in self.nodes:
            node.kill()

    def pause(self) -> None:
        """SIGSTOP every node."""
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        """SIGCONT every node."""
        for node in self.nodes:
            node.resume()

    def wipe(self) -> None:
        """Come back empty on the same ports, as a broker whose disks were lost."""
        self.kill()
        for node in self.nodes:
            node.format()
        self.start()
