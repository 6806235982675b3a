from tradesim.api import Comparison as Comparison
from tradesim.api import Goal as Goal
from tradesim.api import Headline as Headline
from tradesim.api import PreparedModel as PreparedModel
from tradesim.api import compare as compare
from tradesim.api import decompose as decompose
from tradesim.api import figure as figure
from tradesim.api import goal as goal
from tradesim.api import headline as headline
from tradesim.api import levers as levers
from tradesim.api import load as load
from tradesim.api import prepare as prepare
from tradesim.api import report as report
from tradesim.api import run as run
from tradesim.api import save as save
from tradesim.api import scenarios as scenarios
from tradesim.api import to_iamc as to_iamc

__version__: str
